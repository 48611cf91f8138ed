/**
 * Delays the end of the stream by `delay` milliseconds.
 */

import type { AttributesOf } from "./fault.ts";
import { PASS, type Toxic, waitUntil } from "./toxic.ts";

export function createSlowClose({ delay }: AttributesOf<"slow_close">): Toxic {
  let due: number | undefined;
  return {
    onChunk: () => PASS,
    onEnd({ now }) {
      due ??= now + delay;
      return waitUntil(due, now);
    },
  };
}
