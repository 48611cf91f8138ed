/**
 * Resets the connection `timeout` milliseconds after its first bytes or its end have come. Lets nothing through.
 */

import type { AttributesOf } from "./fault.ts";
import { type Moment, type Step, type Toxic, breakBy } from "./toxic.ts";

export function createResetPeer({ timeout }: AttributesOf<"reset_peer">): Toxic {
  let due: number | undefined;
  const reset = ({ now }: Moment): Step => {
    due ??= now + timeout;
    if (now < due) return { do: "wait", until: due };
    const when = timeout === 0 ? "" : ` after ${timeout} ms`;
    return { do: "break", cause: breakBy("reset", `the fault reset_peer reset the connection${when}`) };
  };
  return { onChunk: (_, moment) => reset(moment), onEnd: reset };
}
