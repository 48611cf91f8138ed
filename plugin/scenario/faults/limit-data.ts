/**
 * Closes the connection as soon as `bytes` bytes have got through. With 0, the first byte does.
 */

import type { AttributesOf } from "./fault.ts";
import { PASS, type Step, type Toxic, WAIT, breakBy } from "./toxic.ts";

export function createLimitData({ bytes }: AttributesOf<"limit_data">): Toxic {
  const close: Step = {
    do: "break",
    cause: breakBy("close", `the fault limit_data closed the connection after ${bytes} bytes`),
  };
  const isFull = (passed: number): boolean => passed > 0 && passed >= bytes;
  return {
    onChunk: (_, { passed }) => (passed < bytes ? { do: "pass", bytes: bytes - passed } : close),
    onEnd: ({ passed }) => (isFull(passed) ? close : PASS),
    onIdle: ({ passed }) => (isFull(passed) ? close : WAIT),
  };
}
