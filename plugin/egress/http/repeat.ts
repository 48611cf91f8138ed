/**
 * Which requests may be sent again when a kept connection turns out to be stale, and how the other
 * requests avoid stale connections.
 */

import type { IncomingMessage } from "node:http";

import { isIdempotent } from "../../../service-worker/routing/idempotent.ts";
import { hasBody } from "./body-framing.ts";

/** A request with a body can't be repeated, because the body is streamed and not kept. */
export function canRepeat(incoming: IncomingMessage): boolean {
  return isIdempotent(incoming.method) && !hasBody(incoming);
}

/**
 * Waits until Node has seen what already happened to the kept connections, because a request that can't be
 * repeated must not use one that the target has closed. The first turn ends the current round of events, the
 * second turn ends the next.
 */
export function afterPoll(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
