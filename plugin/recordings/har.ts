/**
 * The file format of recordings: HAR 1.2 (softwareishard.com/blog/har-12-spec), as far as it is used here, with the fields
 * that Playwright (`_file`) and Chromium (`_webSocketMessages`) add, and two of its own (`_binding`, `_worker`). A file that was read may lack any of it.
 */

export interface Har {
  log: HarLog;
}

export interface HarLog {
  version: string;
  creator: HarCreator;
  browser?: HarCreator;
  /** A file of a browser groups its entries by page. */
  pages?: unknown[];
  entries: HarEntry[];
  comment?: string;
}

export interface HarCreator {
  name: string;
  version: string;
}

/** A request and its answer. */
export interface HarEntry {
  pageref?: string;
  /** ISO 8601. */
  startedDateTime: string;
  /** Milliseconds: the sum of the `timings` that are not -1. */
  time: number;
  request: HarRequest;
  response: HarResponse;
  cache: Record<string, never>;
  timings: HarTimings;
  serverIPAddress?: string;
  /** Playwright's. */
  _serverPort?: number;
  /** Playwright's: of the target's certificate. Times are seconds since 1970. */
  _securityDetails?: {
    protocol: string;
    subjectName?: string;
    issuer?: string;
    validFrom?: number;
    validTo?: number;
  };
  /** An id of the TCP connection, such as the client's port. */
  connection?: string;
  /** Chromium's: `"websocket"`, `"fetch"`, …. */
  _resourceType?: string;
  /** Chromium's, of an upgrade to a WebSocket, in order. */
  _webSocketMessages?: HarWebSocketMessage[];
  /** The binding that made the call, and its Worker, as the wrangler config names them. Only this program writes them. */
  _binding?: string;
  _worker?: string;
  comment?: string;
}

export interface HarField {
  name: string;
  value: string;
}

export interface HarCookie extends HarField {
  path?: string;
  domain?: string;
  /** ISO 8601. */
  expires?: string;
  httpOnly?: boolean;
  secure?: boolean;
}

interface HarMessage {
  httpVersion: string;
  cookies: HarCookie[];
  headers: HarField[];
  /** Bytes, with the empty line; -1: unknown. */
  headersSize: number;
  /** Bytes as they were sent, so still encoded; -1: unknown. */
  bodySize: number;
}

export interface HarRequest extends HarMessage {
  method: string;
  /** Absolute, without a fragment. */
  url: string;
  queryString: HarField[];
  postData?: HarPostData;
}

export interface HarPostData {
  mimeType: string;
  text?: string;
  /** Not in HAR 1.2, but Playwright reads it: `text` is base64. */
  encoding?: "base64";
  /** The fields of a form. A browser may give them in place of `text`. */
  params?: { name: string; value?: string; fileName?: string; contentType?: string }[];
  /** Playwright's: the file with the bytes, relative to the HAR file. */
  _file?: string;
}

export interface HarResponse extends HarMessage {
  /** 0 or -1: there was no answer. */
  status: number;
  statusText: string;
  content: HarContent;
  /** The `Location` of a redirect, or empty. */
  redirectURL: string;
}

/** A response's body, decoded: without its content encoding. */
export interface HarContent {
  /** Bytes, decoded; -1: unknown. */
  size: number;
  /** Bytes that the encoding saved. */
  compression?: number;
  mimeType: string;
  /** Absent: the body is empty, in `_file`, or was not recorded. */
  text?: string;
  /** `text` is base64. */
  encoding?: "base64";
  /** Playwright's: the file with the bytes, relative to the HAR file. */
  _file?: string;
}

/** Milliseconds; -1: it doesn't apply. */
export interface HarTimings {
  blocked?: number;
  dns?: number;
  /** Includes `ssl`. */
  connect?: number;
  send: number;
  wait: number;
  receive: number;
  ssl?: number;
}

export interface HarWebSocketMessage {
  /** `send`: by the client; `receive`: by the server. */
  type: "send" | "receive";
  /** Seconds since 1970. */
  time: number;
  /** RFC 6455 §5.2: 1 is text, 2 is binary. */
  opcode: number;
  /** Base64 if it is binary. */
  data: string;
}

/** Stands in a file in place of a secret. */
export const REDACTED = "[redacted]";
