/** The jobs of the measured Worker. worker/ does them, and instance.ts asks for them. */

interface Job {
  /** A binding of the Worker. Absent: the runtime's own `fetch` or `cloudflare:sockets`. */
  through?: string;
  operations: number;
}

export interface Requests extends Job {
  /** Of a transfer: ends with a slash. */
  url: string;
  inFlight: number;
  /** Default: GET. */
  method?: "POST";
}

export interface Transfers extends Requests {
  direction: "down" | "up";
  /** The size of each body. */
  bytes: number;
}

export interface Connections extends Job {
  /** Each `host:port`, used in turn. */
  addresses: string[];
  /** Whether `opened` waits until a first byte is taken. */
  isKnocking?: boolean;
}

export interface Bulk extends Connections {
  /** The bytes per connection. */
  bytes: number;
}

export interface Queries extends Job {
  /** `host:port` */
  address: string;
  /** Whether each query has its own connection. */
  isReconnecting: boolean;
}

/** By name. */
export interface Jobs {
  fetchMany: Requests;
  transfer: Transfers;
  connectMany: Connections;
  connectAndAsk: Connections;
  roundTrips: Connections;
  download: Bulk;
  upload: Bulk;
  query: Queries;
}
