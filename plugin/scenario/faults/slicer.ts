/**
 * Cuts the bytes into slices of `average_size` ± `size_variation` bytes, with `delay` microseconds after each.
 */

import type { AttributesOf } from "./fault.ts";
import type { Random } from "./random.ts";
import { type Toxic, waitUntil } from "./toxic.ts";

/** Milliseconds that a late timer may be made up for: a timer takes 1 ms at least, and a delay may be much shorter. */
const MAX_CREDIT = 5;

export function createSlicer(attributes: AttributesOf<"slicer">, random: Random): Toxic {
  const { average_size: average, size_variation: variation, delay } = attributes;
  /** The sizes into which the rest of the chunk is cut so far, the last one first. */
  let rest: number[] = [];
  let slice: number | undefined;
  let free = 0;

  /** Halves the first size, more or less, until it is small enough: Toxiproxy's recursion, step by step. */
  const cut = (whole: number): number => {
    let size = rest.pop() ?? whole;
    while (size - average > variation) {
      const left = Math.floor(size / 2) + (variation === 0 ? 0 : Math.floor(random.next() * variation * 2) - variation);
      rest.push(size - left);
      size = left;
    }
    return size;
  };

  return {
    onChunk(chunk, { now }) {
      const step = waitUntil(free, now);
      if (step.do !== "pass") return step;
      slice ??= cut(chunk.data.length);
      return { ...step, bytes: slice, at: Math.max(chunk.at, free) };
    },
    onEnd: ({ now }) => waitUntil(free, now),
    onPass(now) {
      slice = undefined;
      free = (now - free < MAX_CREDIT ? free : now) + delay / 1000;
    },
  };
}
