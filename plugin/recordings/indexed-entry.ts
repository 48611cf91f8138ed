/** What is remembered of each entry of a file, and how its URL is compared. */

export interface IndexedEntry {
  /** From 1, as the file counts them. */
  number: number;
  /** Offsets of its first byte, and of the byte behind it. */
  start: number;
  end: number;
  method: string;
  /** As `recordedOrigin` writes it. */
  origin: string;
  /** The path and the query. */
  target: string;
  /** To a WebSocket. */
  isUpgrade: boolean;
  status: number;
  /** Of `recordedKey`. */
  key: string;
}

/** All names of this machine are one, and a WebSocket's origin is that of its HTTP request. */
export function recordedOrigin({ protocol, hostname, port }: URL): string {
  const scheme = protocol === "wss:" || protocol === "https:" ? "https:" : "http:";
  const host = LOOPBACK.has(hostname) ? "localhost" : hostname;
  return `${scheme}//${host}${port === "" ? "" : `:${port}`}`;
}

const LOOPBACK = new Set(["127.0.0.1", "[::1]"]);
