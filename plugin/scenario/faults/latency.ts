/**
 * Delays all bytes by `latency` ± `jitter` milliseconds, counted from their arrival. Only delays: the next bytes are
 * already on their way. Keeps their order.
 */

import type { AttributesOf } from "./fault.ts";
import type { Random } from "./random.ts";
import { type Chunk, type Toxic, waitUntil } from "./toxic.ts";

/** What is on its way at most; then the sender is held back. Toxiproxy has as many chunks. */
const CAPACITY = { chunks: 1024, bytes: 8 * 1024 * 1024 };

export function createLatency({ latency, jitter }: AttributesOf<"latency">, random: Random): Toxic {
  let delayed: Chunk | undefined;
  let due = 0;
  const drawDelay = (): number => {
    const variation = jitter === 0 ? 0 : Math.floor(random.next() * jitter * 2) - jitter;
    return Math.max(latency + variation, 0);
  };
  return {
    capacity: CAPACITY,
    onChunk(chunk, { now }) {
      if (chunk !== delayed) {
        delayed = chunk;
        due = chunk.at + drawDelay();
      }
      const step = waitUntil(due, now);
      return step.do === "pass" ? { ...step, at: due } : step;
    },
  };
}
