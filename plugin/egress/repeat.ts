/**
 * Which requests may be sent a second time when a kept connection turns out to be stale, and how the
 * others keep out of its way.
 */

import type { IncomingMessage } from "node:http";

import { isIdempotent } from "../../service-worker/idempotent.ts";
import { hasBody } from "./function-target.ts";

/** A body is passed on as it comes and not kept. */
export function canRepeat(incoming: IncomingMessage): boolean {
  return isIdempotent(incoming.method) && !hasBody(incoming);
}

/**
 * Once what has already happened to the kept connections is known: a request that can't be repeated must
 * not go over one that the target has closed. The first turn ends the present round of events, the
 * second one the next.
 */
export function afterPoll(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
