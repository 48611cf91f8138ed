/**
 * Copies raw bytes both ways: for an HTTP CONNECT to a target (RFC 9110 §9.3.6), and for any other
 * pair of plain connections.
 *
 *   service worker ◀─ half-close, backpressure ─▶ target
 */

import type { Duplex } from "node:stream";

import { ESTABLISHED, type EgressFailure, type EgressLimits } from "../../service-worker/routing/egress-protocol.ts";
import { useConnection } from "./connections/connection-count.ts";
import { type DialTarget, type DialWatch, dial } from "./connections/dial.ts";
import { keepFailureOf } from "./http/exchange-failures.ts";
import { classify, sendRawFailure } from "./egress-error.ts";
import { makeRoom } from "./connections/pool.ts";

/** The id under which the reason for a break-off is kept. */
export interface Named {
  exchangeId: string | undefined;
}

/** How a CONNECT is answered. An observed connection has its own ways. */
export interface Joining {
  join: (socket: Duplex, upstream: Duplex) => void;
  refuse: (socket: Duplex, failure: EgressFailure) => void;
}

/** Dials, answers the CONNECT on `socket`, and splices. */
export function connectToTarget(
  socket: Duplex,
  target: DialTarget,
  {
    limits,
    exchangeId,
    join = splice,
    refuse: answer = sendRawFailure,
    watch,
  }: { limits: EgressLimits; watch?: DialWatch | undefined } & Named & Partial<Joining>,
): void {
  let endUse: () => void;
  try {
    endUse = useConnection(target, limits);
  } catch (error) {
    return answer(socket, classify(error));
  }
  makeRoom(target, limits);
  const upstream = dial(target, { limits, allowHalfOpen: true, watch });
  upstream.once("close", endUse);
  // A target that has ended, and whose bytes are on their way, no longer uses the connection.
  socket.once("finish", endUse);
  const giveUp = (): void => void upstream.destroy();
  const refuse = (error: Error): void => answer(socket, classify(error));
  socket.once("close", giveUp);
  upstream.once("error", refuse);
  upstream.once("connect", () => {
    socket.off("close", giveUp);
    upstream.off("error", refuse);
    socket.write(ESTABLISHED);
    keepBreak(upstream, { exchangeId });
    join(socket, upstream);
  });
}

/** For the service worker, which only sees the Unix socket end. Call it before `splice`. */
function keepBreak(upstream: Duplex, { exchangeId }: Named): void {
  const keep = (error?: Error): void => {
    if (!upstream.readableEnded) keepFailureOf(exchangeId, error ? classify(error) : DESTROYED);
  };
  upstream.once("error", keep);
  upstream.once("close", () => keep());
}

export const DESTROYED: EgressFailure = {
  code: "connection_terminated",
  detail: "the connection was destroyed before it ended",
};

/**
 * Copies until both sides have ended. If one side ends, the other's half ends too. If one side fails, the
 * other is destroyed. Both must allow half-open.
 */
export function splice(one: Duplex, other: Duplex): void {
  copy(one, other);
  copy(other, one);
}

function copy(from: Duplex, to: Duplex): void {
  from.on("error", () => {
    // A connection that fails after its end accepts nothing more, but what it sent is still delivered.
    if (from.readableEnded) to.end(() => to.destroy());
    else to.destroy();
  });
  from.once("close", () => {
    if (!from.readableEnded) to.destroy();
  });
  from.pipe(to);
}
