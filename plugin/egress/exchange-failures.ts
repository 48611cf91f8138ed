/**
 * Why responses that had begun broke off, kept for a short while for whoever asks. A response that is
 * under way can't carry that itself.
 */

import type { ServerResponse } from "node:http";

import type { EgressFailure } from "../../service-worker/egress-protocol.ts";

const MAX_ENTRIES = 1000;
/** Milliseconds. */
const MAX_AGE = 60_000;

const exchangeIds = new WeakMap<ServerResponse, string>();

/** The oldest first. */
const failures = new Map<string, { failure: EgressFailure; since: number }>();

export function nameExchange(outgoing: ServerResponse, exchangeId: string): void {
  exchangeIds.set(outgoing, exchangeId);
}

/** Does nothing for an exchange without a name. */
export function keepFailure(outgoing: ServerResponse, failure: EgressFailure): void {
  const exchangeId = exchangeIds.get(outgoing);
  if (exchangeId === undefined) return;
  failures.set(exchangeId, { failure, since: performance.now() });
  for (const [oldest, { since }] of failures) {
    if (failures.size <= MAX_ENTRIES && performance.now() - since <= MAX_AGE) break;
    failures.delete(oldest);
  }
}

/** Forgets it. @returns null where none is known */
export function takeFailure(exchangeId: string): EgressFailure | null {
  const entry = failures.get(exchangeId);
  failures.delete(exchangeId);
  return entry !== undefined && performance.now() - entry.since <= MAX_AGE ? entry.failure : null;
}
