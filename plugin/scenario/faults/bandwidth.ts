/**
 * Lets through `rate` kilobytes per second, in pieces of at most 100 milliseconds.
 */

import type { AttributesOf } from "./fault.ts";
import { type Toxic, WAIT, waitUntil } from "./toxic.ts";

/** Milliseconds. */
const PIECE = 100;
/** Milliseconds that a late timer may be made up for. Time for which the reader was slow isn't. */
const MAX_CREDIT = 100;

/** @param attributes `rate`: with 0, nothing gets through until the fault is removed */
export function createBandwidth({ rate }: AttributesOf<"bandwidth">): Toxic {
  /** When the line is free for the next piece. */
  let free = 0;
  let due: number | undefined;
  return {
    onChunk(chunk, { now }) {
      if (rate === 0) return WAIT;
      // A kilobyte per second is a byte per millisecond.
      const bytes = Math.min(chunk.data.length, rate * PIECE);
      due ??= Math.max(free, chunk.at, now - MAX_CREDIT) + bytes / rate;
      const step = waitUntil(due, now);
      return step.do === "pass" ? { ...step, bytes, at: due } : step;
    },
    onPass() {
      free = due ?? free;
      due = undefined;
    },
  };
}
