/**
 * Limits how long a target may keep a request waiting: for taking its next piece, and for sending the next
 * bytes of a response. Time that a slow client or reader takes doesn't count.
 */

import type { ClientRequest, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { EgressError } from "../egress-error.ts";

/** Call it for each piece of a request that is written, and call what it returns when the target has taken the piece. */
export type PieceWatch = () => (() => void) | undefined;

/** @param timeout milliseconds; absent: no limit. After it, the request fails with `connection_write_timeout` */
export function limitWriting(upstream: ClientRequest, timeout: number | undefined): PieceWatch {
  if (timeout === undefined) return () => undefined;
  let pending = 0;
  let isConnected = false;
  const timer = setTimeout(() => {
    if (!isConnected || pending === 0) return;
    const detail = `it took nothing more of the request for ${timeout} ms`;
    upstream.destroy(new EgressError({ code: "connection_write_timeout", detail }));
  }, timeout).unref();
  whenConnected(upstream, () => {
    isConnected = true;
    timer.refresh();
  });
  upstream.once("close", () => clearTimeout(timer));
  const taken = (): void => {
    pending--;
    timer.refresh();
  };
  return () => {
    if (pending === 0) timer.refresh();
    pending++;
    return taken;
  };
}

export interface ReadLimit {
  /** Milliseconds; absent: no limit. */
  timeout: number | undefined;
  /** Whether the request has gone out as far as it can and its response is not complete. */
  isAwaited: () => boolean;
  outgoing: ServerResponse;
}

/** After the limit, the request fails with `connection_read_timeout`. */
export function limitReading(upstream: ClientRequest, { timeout, isAwaited, outgoing }: ReadLimit): void {
  if (timeout === undefined) return;
  let isBegun = false;
  const timer = setTimeout(() => {
    // The end of the request, or a reader that reads on, starts the timer again.
    if (!isAwaited() || outgoing.writableNeedDrain) return;
    const detail = isBegun
      ? `nothing more of the response arrived for ${timeout} ms`
      : `no response within ${timeout} ms`;
    upstream.destroy(new EgressError({ code: "connection_read_timeout", detail }));
  }, timeout).unref();
  const restart = (): void => void timer.refresh();
  const onData = (): void => {
    isBegun = true;
    timer.refresh();
  };
  whenConnected(upstream, (socket) => {
    restart();
    socket.on("data", onData);
    upstream.once("close", () => socket.off("data", onData));
  });
  upstream.once("finish", restart);
  outgoing.on("drain", restart);
  upstream.once("close", () => {
    clearTimeout(timer);
    outgoing.off("drain", restart);
  });
}

function whenConnected(upstream: ClientRequest, then: (socket: Socket) => void): void {
  upstream.once("socket", (socket) => {
    if (socket.connecting) socket.once("connect", () => then(socket));
    else then(socket);
  });
}
