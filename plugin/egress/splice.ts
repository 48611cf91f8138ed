/**
 * Raw bytes both ways: an HTTP CONNECT to a target (RFC 9110 §9.3.6), and whatever else has become a
 * pair of plain connections.
 *
 *   service worker ◀─ half-close, backpressure ─▶ target
 */

import type { Duplex } from "node:stream";

import type { EgressLimits } from "../../service-worker/egress-protocol.ts";
import { useConnection } from "./connection-count.ts";
import { type DialTarget, dial } from "./dial.ts";
import { classify, sendRawFailure } from "./failure.ts";
import { makeRoom } from "./pool.ts";

/** What a CONNECT is answered with once there is a connection. */
export const ESTABLISHED = "HTTP/1.1 200 OK\r\n\r\n";

/** Dials, answers the CONNECT on `socket`, and splices. */
export function connectToTarget(socket: Duplex, target: DialTarget, { limits }: { limits: EgressLimits }): void {
  let endUse: () => void;
  try {
    endUse = useConnection(target, limits);
  } catch (error) {
    return sendRawFailure(socket, classify(error));
  }
  makeRoom(target, limits);
  const upstream = dial(target, { limits, allowHalfOpen: true });
  upstream.once("close", endUse);
  const giveUp = (): void => void upstream.destroy();
  const refuse = (error: Error): void => sendRawFailure(socket, classify(error));
  socket.once("close", giveUp);
  upstream.once("error", refuse);
  upstream.once("connect", () => {
    socket.off("close", giveUp);
    upstream.off("error", refuse);
    socket.write(ESTABLISHED);
    splice(socket, upstream);
  });
}

/**
 * Until both sides have ended. The end of one side ends the other's half; its failure destroys the
 * other. Both must allow half-open.
 */
export function splice(one: Duplex, other: Duplex): void {
  copy(one, other);
  copy(other, one);
}

function copy(from: Duplex, to: Duplex): void {
  from.on("error", () => {
    // A connection that failed after its end has nothing more to take; what it gave is still delivered.
    if (from.readableEnded) to.end(() => to.destroy());
    else to.destroy();
  });
  from.once("close", () => {
    if (!from.readableEnded) to.destroy();
  });
  from.pipe(to);
}
