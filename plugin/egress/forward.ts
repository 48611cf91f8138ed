/**
 * Forwards an HTTP/1.1 request to an address or a unix socket as it is: header fields octet for
 * octet, bodies streamed both ways, 1xx, trailers and upgrades relayed. Adds nothing but framing.
 *
 *   workerd ──incoming──▶ │ ──upstream──▶ target
 *           ◀─outgoing─── │ ◀─response───
 *
 * An abort or a failure on one side destroys the other, so that neither mistakes it for an end.
 */

import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { EgressLimits, EgressTls } from "../../service-worker/egress-protocol.ts";
import type { DialTarget } from "./dial.ts";
import { classify, sendFailure } from "./failure.ts";
import { messageOf } from "../error.ts";
import { hasBody } from "./function-target.ts";
import { REQUEST_PRIVATE, RESPONSE_PRIVATE, formatHead, relayedFields, toFields } from "./headers.ts";
import { type PooledRequest, pool } from "./pool.ts";
import { splice } from "./splice.ts";
import { termsFor } from "./tls.ts";

/** Octets of header fields in one message; workerd passes 300 KiB, Node's default is 16. */
export const MAX_HEADER_SIZE: number = 1024 * 1024;

export interface Exchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  target: DialTarget;
  /** Absent: the target is spoken to in plain HTTP. */
  tls?: EgressTls;
  limits: EgressLimits;
  /** The connection under a request for an upgrade, which has left Node's hands. */
  upgrade?: Duplex;
}

export function forward(exchange: Exchange): void {
  send(exchange, { isRetry: false });
}

/** RFC 9110 §9.2.2: only these may be repeated when it is unknown whether the target acted on them. */
const IDEMPOTENT = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
  "PROPFIND",
  "REPORT",
  "SEARCH",
  "QUERY",
]);

function send(exchange: Exchange, { isRetry }: { isRetry: boolean }): void {
  const { incoming, outgoing } = exchange;
  let upstream: http.ClientRequest;
  try {
    upstream = openRequest(exchange);
  } catch (error) {
    sendFailure(outgoing, classify(error));
    return;
  }
  let response: IncomingMessage | undefined;
  let isContinued = false;
  outgoing.once("close", () => {
    upstream.destroy();
    // What is left of an upload is read to its end, or workerd's connection would stay stuck in it.
    incoming.unpipe(upstream).resume();
  });
  const unwatch = exchange.upgrade && watchForEnd(exchange.upgrade, () => outgoing.destroy());
  upstream.once("socket", (socket) => socket.unref());
  upstream.on("information", (interim: http.InformationEvent) => {
    if (interim.statusCode === 100) isContinued = true;
    relayInterim(interim, outgoing);
  });
  upstream.once("response", (received) => {
    response = received;
    relayResponse(received, exchange, { isContinued });
  });
  upstream.once("upgrade", (received, socket, head) => {
    unwatch?.();
    relayUpgrade(received, socket, { ...exchange, head });
  });
  upstream.on("error", (error) => {
    if (response?.complete === true || outgoing.destroyed) return;
    const isStale = upstream.reusedSocket && !incoming.readableDidRead && IDEMPOTENT.has(incoming.method ?? "");
    unwatch?.();
    if (response === undefined && isStale && !isRetry) send(exchange, { isRetry: true });
    else sendFailure(outgoing, classify(error));
  });
  sendBody(incoming, upstream);
}

function openRequest({ incoming, target, tls, limits }: Exchange): http.ClientRequest {
  const options: PooledRequest = {
    agent: pool,
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    setHost: false,
    maxHeaderSize: MAX_HEADER_SIZE,
    // As tolerant as workerd's own client: a sloppy origin works on either path.
    insecureHTTPParser: true,
    target,
    limits,
    terms: tls && termsFor(target, tls),
  };
  const upstream = http.request(options);
  upstream.maxHeadersCount = 0;
  // Removed before they are set: Node then adds none of its own.
  for (const framing of ["connection", "content-length", "transfer-encoding"]) upstream.removeHeader(framing);
  try {
    for (const [fieldName, value] of relayedFields(incoming.rawHeaders, REQUEST_PRIVATE)) {
      upstream.appendHeader(fieldName, value);
    }
  } catch (error) {
    upstream.once("error", () => upstream.destroy()).destroy();
    throw error;
  }
  return upstream;
}

/** Not `flushHeaders()`, which would write the head as UTF-8. */
function flushHead(message: http.OutgoingMessage): void {
  message.write(new Uint8Array());
}

function sendBody(incoming: IncomingMessage, upstream: http.ClientRequest): void {
  if (!hasBody(incoming)) {
    upstream.end();
    return;
  }
  flushHead(upstream);
  incoming.once("end", () => {
    if (!upstream.destroyed) endLike(incoming, upstream);
  });
  incoming.pipe(upstream, { end: false });
}

/** With the same trailers; what Node takes for none breaks the message off. */
function endLike(received: IncomingMessage, sent: http.OutgoingMessage): void {
  try {
    if (received.rawTrailers.length > 0) sent.addTrailers(toFields(received.rawTrailers));
    sent.end();
  } catch (error) {
    sent.destroy(error instanceof Error ? error : undefined);
  }
}

function relayInterim(interim: http.InformationEvent, outgoing: ServerResponse): void {
  if (interim.statusCode === 100) outgoing.writeContinue();
  else outgoing.socket?.write(formatResponseHead(interim));
}

function relayResponse(response: IncomingMessage, exchange: Exchange, { isContinued }: { isContinued: boolean }): void {
  const { incoming, outgoing } = exchange;
  // Node closes the connection after an answer that came instead of "100 Continue", and must be let say so.
  const isLast = !outgoing.shouldKeepAlive || (incoming.headers.expect !== undefined && !isContinued);
  if (!isLast) outgoing.removeHeader("connection");
  response.on("error", () => outgoing.destroy());
  try {
    // The end of the target's connection is not the end of workerd's, which may still be uploading.
    const fields = relayedFields(response.rawHeaders, RESPONSE_PRIVATE).filter(
      ([fieldName, value]) => fieldName.toLowerCase() !== "connection" || !(isLast || /\bclose\b/i.test(value)),
    );
    outgoing.writeHead(response.statusCode ?? 0, response.statusMessage ?? "", fields.flat());
  } catch (error) {
    sendFailure(outgoing, { code: "http_protocol_error", detail: messageOf(error) });
    return;
  }
  flushHead(outgoing);
  response.once("end", () => endLike(response, outgoing));
  response.pipe(outgoing, { end: false });
}

function relayUpgrade(response: IncomingMessage, socket: Duplex, exchange: Exchange & { head: Buffer }): void {
  const { outgoing, upgrade, head } = exchange;
  if (upgrade === undefined || outgoing.socket === null) {
    socket.destroy();
    sendFailure(outgoing, {
      code: "http_protocol_error",
      detail: "the target upgraded a request that did not ask for it",
    });
    return;
  }
  outgoing.detachSocket(outgoing.socket);
  upgrade.write(formatResponseHead(response));
  socket.unshift(head);
  socket.allowHalfOpen = true;
  splice(upgrade, socket);
}

/** Nobody reads a connection while its upgrade is pending; this hears it close, and consumes nothing. */
function watchForEnd(socket: Duplex, onEnd: () => void): () => void {
  const look = (): void => void socket.read(0);
  socket.on("readable", look);
  socket.once("end", onEnd);
  return () => {
    socket.off("readable", look);
    socket.off("end", onEnd);
  };
}

function formatResponseHead({ statusCode, statusMessage, rawHeaders }: Head): Buffer {
  return formatHead(`HTTP/1.1 ${statusCode} ${statusMessage}`, relayedFields(rawHeaders, RESPONSE_PRIVATE));
}

type Head = Pick<http.InformationEvent, "rawHeaders"> & Partial<Pick<IncomingMessage, "statusCode" | "statusMessage">>;
