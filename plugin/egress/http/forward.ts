/**
 * Forwards an HTTP/1.1 request unchanged to an address or a Unix socket: header fields byte for
 * byte, bodies streamed both ways, 1xx, trailers and upgrades relayed. Adds only framing.
 *
 *   workerd ──incoming──▶ │ ──upstream──▶ target
 *           ◀─outgoing─── │ ◀─response───          relay-answer.ts
 *
 * An abort or a failure on one side destroys the other, so that neither side mistakes it for a clean end.
 */

import http from "node:http";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { endLike, flushHead, hasBody } from "./body-framing.ts";
import { useConnection } from "../connections/connection-count.ts";
import { EgressError, classify, sendFailure } from "../egress-error.ts";
import type { Exchange } from "./exchange.ts";
import { REQUEST_PRIVATE, relayedFields } from "./headers.ts";
import { type PooledRequest, distrustKept, dropKept, hasKept, requestThroughPool } from "../connections/pool.ts";
import { describeSwitch, relayInterim, relayResponse, relayUpgrade } from "./relay-answer.ts";
import { afterPoll, canRepeat } from "./repeat.ts";
import { describeBreakOff, describeNoResponse } from "./response-failure.ts";
import { presentedBy } from "../tls/tls-failure.ts";
import { type PieceWatch, limitReading, limitWriting } from "./time-limits.ts";
import { type TlsTerms, termsFor } from "../tls/tls.ts";
import { watchForEnd } from "./upgrade.ts";

/** Bytes of header fields in one message. workerd passes 300 KiB; Node's default is 16 KiB. */
export const MAX_HEADER_SIZE: number = 1024 * 1024;

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
  /** Call it when the connection is no longer in use. */
  endUse: () => void;
  isRetry: boolean;
}

function send(attempt: Attempt): void {
  const { incoming, outgoing, limits, endUse, watch } = attempt;
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
    // Every exchange ends here, and an abort is slow, so abort only while dialling.
    const isDialling = upstream.socket === null;
    upstream.destroy();
    if (isDialling) abort.abort();
    // Read the rest of an upload, because workerd's connection would stay stuck in it.
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
    if (isStale) distrustKept(attempt);
    const isUpgrade = attempt.upgrade !== undefined;
    const terms = upstream.reusedSocket ? undefined : attempt.terms;
    const presented = terms && presentedBy(terms.trust.client, terms.tls);
    sendFailure(outgoing, describeNoResponse(error, { received, isUpgrade, ...presented }));
  };
  const count = (chunk: Buffer): void => void (received += chunk.length);
  upstream.once("socket", (socket) => {
    // A connection with faults is none of the system's.
    if ("unref" in socket) socket.unref();
    // Counts before Node's own listener runs, because Node's errors are described with this count.
    socket.prependListener("data", count);
    upstream.once("close", () => socket.off("data", count));
    watch?.taken(socket, { isReused: upstream.reusedSocket, target: attempt.target });
  });
  if (watch !== undefined) upstream.once("finish", watch.sent);
  upstream.once("close", endUse);
  upstream.on("information", (interim: http.InformationEvent) => {
    if (interim.statusCode === 100) isContinued = true;
    relayInterim(interim, outgoing);
  });
  upstream.once("response", (begun) => {
    // Node doesn't treat a 101 without a protocol as an upgrade. What follows it answers no other request.
    if (begun.statusCode === 101) {
      upstream.destroy(new EgressError(describeSwitch(attempt, begun)));
      return;
    }
    upstream.socket?.off("data", count);
    received = 0;
    begun.on("data", count);
    response = begun;
    watch?.answered(begun);
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

function openRequest(attempt: Attempt, givenUp: AbortSignal): http.ClientRequest {
  const { incoming, target, limits, terms, connect, proxy, watch } = attempt;
  const open = connect === undefined ? requestThroughPool : requestOver(() => connect(terms));
  const upstream = open({
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    setHost: false,
    maxHeaderSize: MAX_HEADER_SIZE,
    // As tolerant as workerd's own client, so a sloppy origin works on both paths.
    insecureHTTPParser: true,
    target,
    limits,
    terms,
    givenUp,
    mayRepeat: canRepeat(incoming),
    watch,
  });
  upstream.maxHeadersCount = 0;
  // Node doesn't add its own value for a field that was removed.
  for (const framing of ["connection", "content-length", "transfer-encoding"]) upstream.removeHeader(framing);
  try {
    for (const [fieldName, value] of [
      ...relayedFields(incoming.rawHeaders, REQUEST_PRIVATE),
      ...(proxy?.fields ?? []),
    ]) {
      upstream.appendHeader(fieldName, value);
    }
  } catch (error) {
    upstream.once("error", () => upstream.destroy()).destroy();
    throw error;
  }
  return upstream;
}

/** Each request has its own connection. */
function requestOver(connect: () => Duplex): (options: PooledRequest) => http.ClientRequest {
  return (options) => http.request({ ...options, createConnection: connect });
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
    // After the target hangs up, read the rest and drop it.
    if (!upstream.destroyed && !upstream.write(chunk, watch())) incoming.pause();
  });
  upstream.on("drain", () => incoming.resume());
  incoming.once("end", () => {
    if (upstream.destroyed) return;
    end();
    endLike(incoming, upstream);
  });
}
