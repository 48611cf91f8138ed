/**
 * The steps of a call and the connection that it used. Types only, because the code of the traffic page imports them too.
 */

/** The steps of a call, in this order. A step that a call doesn't take is absent, such as `dialled` on a kept connection. */
export type CallStep =
  /** A rule, or the vpc config, has decided. */
  | "decided"
  /** A new connection was begun. */
  | "dialled"
  /** The target's name was resolved. */
  | "resolved"
  | "connected"
  /** The TLS handshake was over. */
  | "secured"
  /** The request had its connection. */
  | "taken"
  /** The target had the whole request. */
  | "sent"
  /** The head of the answer came; for a connection, the first byte. */
  | "answered"
  /** For a WebSocket: it was closed. */
  | "ended";

/** Milliseconds of each phase. `ssl` is a part of `connect`; the others add up to the duration. -1: there was no such phase. */
export interface Timings {
  blocked: number;
  dns: number;
  connect: number;
  ssl: number;
  send: number;
  wait: number;
  receive: number;
}

/** The connection to the target. */
export interface ConnectionDetail {
  /** Calls with the same number used the same connection. */
  number: number;
  /** Whether an earlier request had used it. */
  isReused: boolean;
  /** The target's address, or the path of its Unix socket. */
  server?: { address: string; port: number } | { path: string };
  tls?: TlsDetail;
}

export interface TlsDetail {
  /** As OpenSSL names them: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
  protocol: string;
  cipher: string;
  /** SNI (RFC 6066 §3). Absent if the target's name is an address. */
  serverName?: string;
  certificate?: CertificateDetail;
  /** What the target asked for and got. */
  clientCertificate?: ClientCertificateDetail;
}

export interface ClientCertificateDetail {
  /** As `CertificateDetail.subject`. */
  subject: string;
  /** SHA-256 of the certificate, in hex with colons. */
  fingerprint: string;
}

export interface CertificateDetail {
  /** Common names; without one, the organization, or "". */
  subject: string;
  issuer: string;
  /** Milliseconds since 1970. */
  validFrom: number;
  validTo: number;
}
