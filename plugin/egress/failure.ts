/**
 * System errors → error codes, and the answers that carry them to the service worker. Prints nothing:
 * the service worker does.
 */

import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { type EgressFailure, FAILURE_HEADER, toHeader } from "../../service-worker/egress-protocol.ts";
import { messageOf } from "../error.ts";
import { describeSystemLookup } from "./dns-failure.ts";
import { keepFailure } from "./exchange-failures.ts";
import { describeProtocolError, isTlsCode } from "./tls-failure.ts";
import type { ProxyErrorCode } from "../../service-worker/proxy-error.ts";

/** A failure whose words are already found. */
export class EgressError extends Error {
  readonly failure: EgressFailure;

  constructor(failure: EgressFailure) {
    super(failure.detail);
    this.failure = failure;
  }
}

const CODES: Record<string, ProxyErrorCode> = {
  ECONNREFUSED: "connection_refused",
  // The forms a unix socket without a listener takes.
  ENOENT: "connection_refused",
  ENOTSOCK: "connection_refused",
  EACCES: "connection_refused",
  EPERM: "connection_refused",
  ETIMEDOUT: "connection_timeout",
  ETIMEOUT: "dns_timeout",
  ENETUNREACH: "destination_ip_unroutable",
  EHOSTUNREACH: "destination_ip_unroutable",
  EADDRNOTAVAIL: "destination_ip_unroutable",
  ECONNRESET: "connection_terminated",
  ECONNABORTED: "connection_terminated",
  EPIPE: "connection_terminated",
  EMFILE: "connection_limit_reached",
  ENFILE: "connection_limit_reached",
  ERR_UNESCAPED_CHARACTERS: "http_request_error",
  ERR_INVALID_CHAR: "http_request_error",
};

/** @param error what a socket or an HTTP request emitted before there was a response */
export function classify(error: unknown): EgressFailure {
  if (error instanceof EgressError) return error.failure;
  const causes = error instanceof AggregateError ? error.errors : [error];
  const codes = causes.map(codeOf);
  // Of a name's addresses, the one where something answered tells most.
  const code = codes.find((candidate) => candidate === "ECONNREFUSED") ?? codes[0] ?? "";
  const [cause] = causes;
  if (isTlsCode(code)) return describeProtocolError({ code, message: messageOf(cause), ...reasonOf(cause) });
  if (isLookup(error)) return describeSystemLookup(error.hostname, code);
  return { code: toProxyCode(code), detail: causes.map(messageOf).join(", ") };
}

/** Answers with a failure instead of a response; if a response has begun, cuts it off and keeps the failure. */
export function sendFailure(outgoing: ServerResponse, failure: EgressFailure): void {
  if (outgoing.headersSent) {
    keepFailure(outgoing, failure);
    // What has come of it by now still goes out.
    setImmediate(() => outgoing.destroy());
    return;
  }
  outgoing.writeHead(502, { [FAILURE_HEADER]: inHeader(failure), "Content-Length": 0 });
  outgoing.end();
}

/** The same where there is no `ServerResponse`; ends the connection. */
export function sendRawFailure(socket: Duplex, failure: EgressFailure): void {
  // Read on, so that the answer is not lost to unread data.
  socket.resume();
  socket.end(`HTTP/1.1 502 Bad Gateway\r\n${FAILURE_HEADER}: ${inHeader(failure)}\r\n\r\n`);
}

/** Longer words of a thrown error would not fit a header. */
const MAX_DETAIL = 2000;

function inHeader(failure: EgressFailure): string {
  return toHeader({ ...failure, detail: failure.detail.slice(0, MAX_DETAIL) });
}

/** The system's code of an error, or none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function toProxyCode(code: string): ProxyErrorCode {
  if (code.startsWith("HPE_")) return "http_protocol_error";
  return CODES[code] ?? "proxy_internal_error";
}

function reasonOf(error: unknown): { reason?: unknown } {
  return error instanceof Error && "reason" in error ? { reason: error.reason } : {};
}

function isLookup(error: unknown): error is Error & { hostname: string } {
  return error instanceof Error && "syscall" in error && error.syscall === "getaddrinfo" && "hostname" in error;
}
