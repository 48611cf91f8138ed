/**
 * Remembers for a short while why a response or a connection broke off, so that the service worker can ask.
 * A response that has already begun can't carry the reason itself.
 */

import type { ServerResponse } from "node:http";

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";

const MAX_ENTRIES = 1000;
/** Milliseconds. */
const MAX_AGE = 60_000;

const exchangeIds = new WeakMap<ServerResponse, string>();

/** Oldest first. */
const failures = new Map<string, { failure: EgressFailure | null; since: number }>();

export function nameExchange(outgoing: ServerResponse, exchangeId: string): void {
  exchangeIds.set(outgoing, exchangeId);
}

/** Does nothing for an exchange without a name. */
export function keepFailure(outgoing: ServerResponse, failure: EgressFailure): void {
  keepFailureOf(exchangeIds.get(outgoing), failure);
}

export function keepFailureOf(exchangeId: string | undefined, failure: EgressFailure): void {
  if (exchangeId === undefined || failures.get(exchangeId)?.failure === null) return;
  keepOutcome(exchangeId, failure);
}

/** What follows is the end of a connection that a fault has closed, and no failure. */
export function ignoreFailuresOf(exchangeId: string): void {
  keepOutcome(exchangeId, null);
}

function keepOutcome(exchangeId: string, failure: EgressFailure | null): void {
  failures.set(exchangeId, { failure, since: performance.now() });
  for (const [oldest, { since }] of failures) {
    if (failures.size <= MAX_ENTRIES && performance.now() - since <= MAX_AGE) break;
    failures.delete(oldest);
  }
}

/** Leaves the failure for the service worker. */
export function peekFailure(exchangeId: string): EgressFailure | undefined {
  return failures.get(exchangeId)?.failure ?? undefined;
}

/** Also forgets the failure. @returns null if none is known */
export function takeFailure(exchangeId: string): EgressFailure | null {
  const entry = failures.get(exchangeId);
  failures.delete(exchangeId);
  return entry !== undefined && performance.now() - entry.since <= MAX_AGE ? entry.failure : null;
}
