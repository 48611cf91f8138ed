/**
 * Drops all bytes, and closes the connection after `timeout` milliseconds without any. With 0 it closes the connection
 * when the fault is removed.
 */

import type { AttributesOf } from "./fault.ts";
import { type Toxic, WAIT, breakBy } from "./toxic.ts";

export function createTimeout({ timeout }: AttributesOf<"timeout">): Toxic {
  /** As in Toxiproxy, each chunk puts it off. */
  let deadline: number | undefined;
  return {
    onChunk(_, { now }) {
      deadline = now + timeout;
      return { do: "drop" };
    },
    onIdle({ now }) {
      if (timeout === 0) return WAIT;
      deadline ??= now + timeout;
      if (now < deadline) return { do: "wait", until: deadline };
      const detail = `the fault timeout closed the connection after ${timeout} ms without data`;
      return { do: "break", cause: breakBy("close", detail) };
    },
    whenRemoved: breakBy(
      "close",
      "the fault timeout dropped the connection's data, and its removal closed the connection",
    ),
  };
}
