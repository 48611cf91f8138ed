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

import type { EgressFailure, EgressLimits, EgressTls } from "../../service-worker/egress-protocol.ts";
import { messageOf } from "../error.ts";
import { useConnection } from "./connection-count.ts";
import type { DialTarget } from "./dial.ts";
import { EgressError, classify, sendFailure } from "./failure.ts";
import { hasBody } from "./function-target.ts";
import { REQUEST_PRIVATE, RESPONSE_PRIVATE, formatHead, relayedFields, toFields } from "./headers.ts";
import { dropKept, hasKept, requestThroughPool } from "./pool.ts";
import { afterPoll, canRepeat } from "./repeat.ts";
import { describeBreakOff, describeNoResponse } from "./response-failure.ts";
import { splice } from "./splice.ts";
import { type PieceWatch, limitReading, limitWriting } from "./time-limits.ts";
import { type TlsTerms, termsFor } from "./tls.ts";
import { describeMismatch, watchForEnd } from "./upgrade.ts";

/** Octets of header fields in one message; workerd passes 300 KiB, Node's default is 16. */
export const MAX_HEADER_SIZE: number = 1024 * 1024;

export interface Exchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  target: DialTarget;
  /** Absent: the target is spoken to in plain HTTP. */
  tls?: EgressTls;
  limits: EgressLimits;
  /** Over a new connection, none of those that were kept. */
  isFresh?: boolean;
  /** The connection under a request for an upgrade, which has left Node's hands. */
  upgrade?: Duplex;
}

export function forward(exchange: Exchange): void {
  const { incoming, outgoing, target, tls, limits, isFresh = false } = exchange;
  let terms: TlsTerms | undefined;
  let endUse: () => void;
  try {
    terms = tls && termsFor(target, tls);
    endUse = useConnection(target, limits);
  } catch (error) {
    return sendFailure(outgoing, classify(error));
  }
  const attempt: Attempt = { ...exchange, terms, endUse, isRetry: false };
  if (isFresh) dropKept(attempt);
  if (canRepeat(incoming) || !hasKept(attempt)) send(attempt);
  else {
    afterPoll(() => {
      if (outgoing.destroyed) endUse();
      else send(attempt);
    });
  }
}

interface Attempt extends Exchange {
  terms: TlsTerms | undefined;
  /** To be called when the connection is no longer used. */
  endUse: () => void;
  isRetry: boolean;
}

function send(attempt: Attempt): void {
  const { incoming, outgoing, limits, endUse } = attempt;
  const abort = new AbortController();
  let upstream: http.ClientRequest;
  try {
    upstream = openRequest(attempt, abort.signal);
  } catch (error) {
    abort.abort();
    endUse();
    return sendFailure(outgoing, classify(error));
  }
  let response: IncomingMessage | undefined;
  let received = 0;
  let isContinued = false;
  let isOver = false;
  const giveUp = (): void => {
    // Each exchange comes by here at its end, and an abort takes a tenth of a small one's time.
    const isDialling = upstream.socket === null;
    upstream.destroy();
    if (isDialling) abort.abort();
    // What is left of an upload is read to its end, or workerd's connection would stay stuck in it.
    incoming.resume();
  };
  outgoing.once("close", giveUp);
  const unwatch = attempt.upgrade && watchForEnd(attempt.upgrade, () => outgoing.destroy());
  const fail = (error: Error): void => {
    if (isOver || response?.complete === true || outgoing.destroyed) return;
    isOver = true;
    unwatch?.();
    if (response !== undefined) {
      const ofBody = received + response.readableLength;
      return sendFailure(outgoing, describeBreakOff(error, response, ofBody));
    }
    const isStale = upstream.reusedSocket && received === 0 && !(error instanceof EgressError);
    if (isStale && !attempt.isRetry && canRepeat(incoming)) {
      outgoing.off("close", giveUp);
      upstream.off("close", endUse);
      dropKept(attempt);
      return send({ ...attempt, isRetry: true });
    }
    const isUpgrade = attempt.upgrade !== undefined;
    sendFailure(outgoing, describeNoResponse(error, { received, isUpgrade }));
  };
  const count = (chunk: Buffer): void => void (received += chunk.length);
  upstream.once("socket", (socket) => {
    socket.unref();
    // Before Node's own listener, whose errors depend on it.
    socket.prependListener("data", count);
    upstream.once("close", () => socket.off("data", count));
  });
  upstream.once("close", endUse);
  upstream.on("information", (interim: http.InformationEvent) => {
    if (interim.statusCode === 100) isContinued = true;
    relayInterim(interim, outgoing);
  });
  upstream.once("response", (begun) => {
    upstream.socket?.off("data", count);
    received = 0;
    begun.on("data", count);
    response = begun;
    begun.on("error", fail);
    relayResponse(begun, attempt, { isContinued, hasFailed: () => isOver });
  });
  upstream.once("upgrade", (accepted, socket, head) => {
    unwatch?.();
    isOver = true;
    upstream.off("close", endUse);
    socket.once("close", endUse);
    relayUpgrade(accepted, socket, { ...attempt, head });
  });
  upstream.on("error", fail);
  const isAwaitingConsent = (): boolean =>
    incoming.headers.expect !== undefined && !isContinued && !incoming.readableDidRead;
  limitReading(upstream, {
    timeout: limits.readTimeout,
    isAwaited: () => response?.complete !== true && (upstream.writableFinished || isAwaitingConsent()),
    outgoing,
  });
  sendBody(incoming, upstream, limitWriting(upstream, limits.writeTimeout));
}

function openRequest({ incoming, target, limits, terms }: Attempt, givenUp: AbortSignal): http.ClientRequest {
  const upstream = requestThroughPool({
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    setHost: false,
    maxHeaderSize: MAX_HEADER_SIZE,
    // As tolerant as workerd's own client: a sloppy origin works on either path.
    insecureHTTPParser: true,
    target,
    limits,
    terms,
    givenUp,
  });
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
function flushHead(message: http.OutgoingMessage, taken?: () => void): void {
  message.write(new Uint8Array(), taken);
}

function sendBody(incoming: IncomingMessage, upstream: http.ClientRequest, watch: PieceWatch): void {
  const end = (): void => {
    const taken = watch();
    if (taken) upstream.once("finish", taken);
  };
  if (!hasBody(incoming)) {
    end();
    upstream.end();
    return;
  }
  flushHead(upstream, watch());
  incoming.on("data", (chunk) => {
    // Once the target has hung up, the rest is read and dropped.
    if (!upstream.destroyed && !upstream.write(chunk, watch())) incoming.pause();
  });
  upstream.on("drain", () => incoming.resume());
  incoming.once("end", () => {
    if (upstream.destroyed) return;
    end();
    endLike(incoming, upstream);
  });
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

interface Progress {
  isContinued: boolean;
  hasFailed: () => boolean;
}

function relayResponse(response: IncomingMessage, exchange: Exchange, { isContinued, hasFailed }: Progress): void {
  const { incoming, outgoing } = exchange;
  // A 101 that Node does not take for an upgrade, for it names no protocol.
  if (response.statusCode === 101) {
    const detail = describeMismatch(incoming, response);
    const isUpgrade = exchange.upgrade !== undefined && detail !== undefined;
    return sendFailure(outgoing, isUpgrade ? { code: "http_upgrade_failed", detail } : UNASKED);
  }
  // Node closes the connection after an answer that came instead of "100 Continue", and must be let say so.
  const isLast = !outgoing.shouldKeepAlive || (incoming.headers.expect !== undefined && !isContinued);
  if (!isLast) outgoing.removeHeader("connection");
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
  response.once("end", () => {
    // To Node, a reset is an end where only the connection's end tells of one.
    if (!hasFailed()) endLike(response, outgoing);
  });
  response.pipe(outgoing, { end: false });
}

function relayUpgrade(response: IncomingMessage, socket: Duplex, attempt: Attempt & { head: Buffer }): void {
  const { incoming, outgoing, upgrade, head } = attempt;
  if (upgrade === undefined || outgoing.socket === null) {
    socket.destroy();
    return sendFailure(outgoing, UNASKED);
  }
  const mismatch = describeMismatch(incoming, response);
  if (mismatch !== undefined) {
    socket.destroy();
    return sendFailure(outgoing, { code: "http_upgrade_failed", detail: mismatch });
  }
  outgoing.detachSocket(outgoing.socket);
  upgrade.write(formatResponseHead(response));
  socket.unshift(head);
  socket.allowHalfOpen = true;
  splice(upgrade, socket);
}

const UNASKED: EgressFailure = {
  code: "http_protocol_error",
  detail: "the target upgraded a request that did not ask for it",
};

function formatResponseHead({ statusCode, statusMessage, rawHeaders }: Head): Buffer {
  return formatHead(`HTTP/1.1 ${statusCode} ${statusMessage}`, relayedFields(rawHeaders, RESPONSE_PRIVATE));
}

type Head = Pick<http.InformationEvent, "rawHeaders"> & Partial<Pick<IncomingMessage, "statusCode" | "statusMessage">>;
