/**
 * Which requests may be sent a second time when a kept connection turns out to be stale, and how the
 * others keep out of its way.
 */

import type { IncomingMessage } from "node:http";

import { hasBody } from "./function-target.ts";

/** RFC 9110 §9.2.2: only these may be repeated when it is unknown whether the target acted on them. */
const IDEMPOTENT = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
  "PROPFIND",
  "REPORT",
  "SEARCH",
  "QUERY",
]);

/** A body is passed on as it comes and not kept. */
export function canRepeat(incoming: IncomingMessage): boolean {
  return IDEMPOTENT.has(incoming.method ?? "") && !hasBody(incoming);
}

/**
 * Once what has already happened to the kept connections is known: a request that can't be repeated must
 * not go over one that the target has closed. The first turn ends the present round of events, the
 * second one the next.
 */
export function afterPoll(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
