/** What the Worker under measurement can be asked to do: its side is in worker/, the asking side in instance.ts. */

interface Job {
  /** A binding of the Worker. Absent: what the runtime itself has, `fetch` or `cloudflare:sockets`. */
  through?: string;
  operations: number;
}

export interface Requests extends Job {
  /** Ends with a slash. */
  url: string;
  inFlight: number;
}

export interface Transfers extends Requests {
  direction: "down" | "up";
  /** Of each body. */
  bytes: number;
}

export interface Connections extends Job {
  /** Each `host:port`; taken in turn. */
  addresses: string[];
}

export interface Bulk extends Connections {
  /** Of each connection. */
  bytes: number;
}

export interface Queries extends Job {
  /** `host:port` */
  address: string;
  /** A connection for each query, or one for all. */
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
