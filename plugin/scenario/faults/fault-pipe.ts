/**
 * Copies the bytes of one stream, with faults. Call it for both streams of a connection: each of them passes on that
 * the other side is gone.
 *
 *   from ─▶ faults of the stream, in order ─▶ to
 */

import net from "node:net";
import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
// Not the global ones: a test's fake timers must not stop it.
import { clearTimeout, setTimeout } from "node:timers";
import tls from "node:tls";

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";
import { EgressError } from "../../egress/egress-error.ts";
import { createChain } from "./chain.ts";
import type { Stream } from "./fault.ts";
import type { LiveFaults } from "./live-faults.ts";
import type { Random } from "./random.ts";
import { type Cause, breakBy } from "./toxic.ts";

export interface PipeOptions {
  live: LiveFaults;
  random: Random;
  /**
   * Called before a fault ends the connection. After a `close` both sides see an end, as after Toxiproxy's; after a
   * `reset`, TCP sockets see a reset and others an error.
   */
  onBreak: (failure: EgressFailure, how: "close" | "reset") => void;
}

export interface OnePipeOptions extends PipeOptions {
  stream: Stream;
  /** Hears what is read of `from`. */
  onRead?: (data: Buffer) => void;
  /** Hears what is written to `to`. */
  onWrite?: (data: Buffer) => void;
}

/** The longest that a timer can wait, in milliseconds. */
const MAX_WAIT = 2 ** 31 - 1;

/**
 * If one side ends, the other's half ends too, after the last byte. If one side breaks off, the other is destroyed
 * after what it sent before. Both must allow half-open.
 */
export function pipeWithFaults(
  from: Duplex,
  to: Duplex,
  { live, stream, random, onBreak, onRead, onWrite }: OnePipeOptions,
): void {
  let timer: NodeJS.Timeout | undefined;
  /** Whether nothing more is to be moved. */
  let isOver = false;
  /** Whether `to` has got a clean end. */
  let hasEnded = false;
  let isChanged = true;
  let isDue = false;
  let isTurning = false;

  const chain = createChain({
    random,
    output: {
      hasRoom: () => !to.writableNeedDrain,
      write: (data) => {
        if (!to.writable) return;
        onWrite?.(data);
        to.write(data);
      },
      end: (cause) => finish(cause),
    },
  });
  const unsubscribe = live.onChange(() => {
    isChanged = true;
    turn();
  });
  const stop = (): void => {
    isOver = true;
    clearTimeout(timer);
    unsubscribe();
  };

  const finish = (cause: Cause | undefined): void => {
    stop();
    switch (cause?.how) {
      case undefined:
        hasEnded = true;
        // A connection that fails after its end accepts nothing more, but what it sent is still delivered.
        to.end(from.destroyed ? () => to.destroy() : undefined);
        return;
      case "lost":
        if (to.writable) to.write(Buffer.alloc(0), () => to.destroy());
        else to.destroy();
        return;
      case "close":
        onBreak(cause.failure, "close");
        // Then the pipe of the other stream closes `from`, after what is on its way there.
        to.end(() => to.destroy());
        return;
      case "reset":
        onBreak(cause.failure, "reset");
        for (const side of [from, to]) reset(side, cause.failure);
        return;
      default:
        cause satisfies never;
    }
  };

  const applyChange = (): void => {
    isChanged = false;
    if (!live.faults.some(({ type }) => type === "down")) {
      return chain.setFaults(live.faults.filter((fault) => fault.stream === stream));
    }
    stop();
    // The pipe of the other stream may have cut it already.
    if (from.destroyed && to.destroyed) return;
    const { failure } = breakBy("close", "the fault down closed the connection");
    onBreak(failure, "close");
    for (const side of [from, to]) side.destroy(new EgressError(failure));
  };

  /** Something has happened: moves what may go on, and reads on or not. */
  const turn = (): void => {
    isDue = true;
    // Whatever is called from here may call back.
    if (isTurning) return;
    isTurning = true;
    clearTimeout(timer);
    let wakeAt = Infinity;
    while (isDue) {
      if (isOver) break;
      if (isChanged) applyChange();
      else {
        isDue = false;
        wakeAt = chain.turn(performance.now());
      }
    }
    isTurning = false;
    if (isOver) return;
    if (wakeAt < Infinity)
      timer = setTimeout(turn, Math.min(Math.max(Math.ceil(wakeAt - performance.now()), 1), MAX_WAIT)).unref();
    if (chain.hasRoom()) from.resume();
    else from.pause();
  };

  from.on("data", (data: Buffer) => {
    if (isOver) return;
    onRead?.(data);
    chain.push(data, performance.now());
    turn();
  });
  from.once("end", () => {
    chain.end();
    turn();
  });
  from.on("error", () => from.destroy());
  from.once("close", () => {
    // The end may have gone out before.
    if (hasEnded) to.end(() => to.destroy());
    if (!from.readableEnded) chain.end({ how: "lost" });
    turn();
  });
  to.on("error", () => to.destroy());
  to.on("drain", turn);
  to.once("close", () => {
    stop();
    // Nobody takes it any more. Unread, it would turn the end of `from` into a reset.
    from.resume();
  });
  turn();
}

/** Only a TCP socket can be reset, and not while its end is on its way. */
function reset(side: Duplex, failure: EgressFailure): void {
  const isTcp = side instanceof net.Socket && !(side instanceof tls.TLSSocket) && side.remoteFamily !== undefined;
  const isEnding = side.writableEnded && !side.writableFinished;
  if (isTcp && !isEnding) side.resetAndDestroy();
  else side.destroy(new EgressError(failure));
}
