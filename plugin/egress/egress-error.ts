/**
 * Turns system errors into error codes, and sends them to the service worker in a response. Prints nothing,
 * because the service worker does.
 */

import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { type EgressFailure, FAILURE_HEADER, toHeader } from "../../service-worker/routing/egress-protocol.ts";
import { messageOf } from "../system/error.ts";
import { describeSystemLookup } from "./connections/dns-failure.ts";
import { keepFailure } from "./http/exchange-failures.ts";
import { describeProtocolError, isTlsError } from "./tls/tls-failure.ts";
import type { ProxyErrorCode } from "../../service-worker/routing/error-codes.ts";

/** A failure that already has its final text. */
export class EgressError extends Error {
  readonly failure: EgressFailure;

  constructor(failure: EgressFailure) {
    super(failure.detail);
    this.failure = failure;
  }
}

const CODES: Record<string, ProxyErrorCode> = {
  ECONNREFUSED: "connection_refused",
  // A Unix socket without a listener fails with one of these.
  ENOENT: "connection_refused",
  ENOTSOCK: "connection_refused",
  ETIMEDOUT: "connection_timeout",
  ETIMEOUT: "dns_timeout",
  ENETUNREACH: "destination_ip_unroutable",
  EHOSTUNREACH: "destination_ip_unroutable",
  EADDRNOTAVAIL: "destination_ip_unroutable",
  // macOS's, where Linux has the two above.
  EHOSTDOWN: "destination_ip_unroutable",
  ENETDOWN: "destination_ip_unroutable",
  ECONNRESET: "connection_terminated",
  ECONNABORTED: "connection_terminated",
  EPIPE: "connection_terminated",
  EMFILE: "connection_limit_reached",
  ENFILE: "connection_limit_reached",
  ERR_UNESCAPED_CHARACTERS: "http_request_error",
  ERR_INVALID_CHAR: "http_request_error",
};

const UNREACHABLE: ReadonlySet<string> = new Set(["ENETUNREACH", "EHOSTUNREACH", "EHOSTDOWN", "ENETDOWN"]);

/** Without the permission, macOS answers as if the host were down. */
const HINT_FOR_MACOS =
  " If it is in your local network, your terminal also needs the permission: System Settings > Privacy & Security > Local Network.";

/** @param error what a socket or an HTTP request emitted before there was a response */
export function classify(error: unknown): EgressFailure {
  if (error instanceof EgressError) return error.failure;
  const causes = error instanceof AggregateError ? error.errors : [error];
  const codes = causes.map(codeOf);
  // If a name has several addresses, a refusal says the most: something answered there.
  const code = codes.find((candidate) => candidate === "ECONNREFUSED") ?? codes[0] ?? "";
  const [cause] = causes;
  if (isTlsError(cause)) return describeProtocolError(cause);
  if (isLookup(error)) return describeSystemLookup(error.hostname, code);
  const detail = causes.map(messageOf).join(", ");
  // The target did not refuse: this process isn't allowed to connect.
  if (code === "EACCES" || code === "EPERM") {
    const hint = "Change the permissions of the target's socket, or the rule of the firewall that forbids it.";
    return {
      code: "destination_unavailable",
      detail: `this user isn't allowed to connect to the target: ${detail}`,
      hint,
    };
  }
  if (UNREACHABLE.has(code)) {
    return {
      code: toProxyCode(code),
      detail: `this machine can't reach the target: ${detail}`,
      hint: `Check that the host is up and that this machine is in its network, for example over a VPN.${process.platform === "darwin" ? HINT_FOR_MACOS : ""}`,
    };
  }
  if (code === "HPE_HEADER_OVERFLOW") return describeOversize("it is larger than 1 MiB");
  return { code: toProxyCode(code), detail };
}

/** @param size the size of a head that can't be passed on, as a clause */
export function describeOversize(size: string): EgressFailure {
  return {
    code: "http_protocol_error",
    detail: `the head of the target's answer can't be passed on: ${size}, and workerd takes at most ${MAX_HEAD} bytes and ${MAX_FIELDS} fields`,
    hint: "Change the target to send fewer or shorter fields.",
  };
}

/** What workerd's HTTP client accepts: bytes in a response's head, and fields in it. */
export const MAX_HEAD = 417_792;
export const MAX_FIELDS = 16_383;

/** Answers with a failure. If a response has already begun, cuts it off and keeps the failure for the service worker. */
export function sendFailure(outgoing: ServerResponse, failure: EgressFailure): void {
  if (outgoing.headersSent) {
    keepFailure(outgoing, failure);
    // Lets what has already arrived go out first.
    setImmediate(() => outgoing.destroy());
    return;
  }
  // Without a reason here, Node would reuse that of a head it has just refused.
  outgoing.writeHead(502, "Bad Gateway", { [FAILURE_HEADER]: inHeader(failure), "Content-Length": 0 });
  outgoing.end();
}

/** Like `sendFailure`, but without a `ServerResponse`. Ends the connection. */
export function sendRawFailure(socket: Duplex, failure: EgressFailure, fields: Record<string, string> = {}): void {
  // Keep reading: unread data would reset the connection and lose the answer.
  socket.resume();
  const head = Object.entries({ ...fields, [FAILURE_HEADER]: inHeader(failure) });
  socket.end(`HTTP/1.1 502 Bad Gateway\r\n${head.map((field) => `${field.join(": ")}\r\n`).join("")}\r\n`);
}

/** Characters. A longer text of a thrown error would not fit in a header. */
const MAX_DETAIL = 2000;

function inHeader({ thrown, ...failure }: EgressFailure): string {
  const shortened = { ...failure, detail: failure.detail.slice(0, MAX_DETAIL) };
  return toHeader(thrown === undefined ? shortened : { ...shortened, thrown: thrown.slice(0, MAX_DETAIL) });
}

/** The system's code of an error, or "" if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function toProxyCode(code: string): ProxyErrorCode {
  if (code.startsWith("HPE_")) return "http_protocol_error";
  return CODES[code] ?? "proxy_internal_error";
}

function isLookup(error: unknown): error is Error & { hostname: string } {
  return error instanceof Error && "syscall" in error && error.syscall === "getaddrinfo" && "hostname" in error;
}
