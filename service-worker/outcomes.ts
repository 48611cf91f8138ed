/**
 * How each `connect()` ended, by the id its facade chose: a native `connect` to a Worker resolves
 * `opened` at once, whatever happens behind it, so the facade asks here.
 *
 *   facade ── connect(id.host:port) ──▶ handler ── settle(id, outcome)
 *          ── Outcomes.of(id) ───────▶ awaitOutcome(id) ◀──┘
 */

import type { ProxyErrorCode } from "./proxy-error.ts";

export type Outcome = { type: "open" } | { type: "failed"; code: ProxyErrorCode };

interface Pending {
  outcome: Promise<Outcome>;
  resolve: (outcome: Outcome) => void;
}

const pending = new Map<string, Pending>();

/** Outcomes that nobody asked for, or nobody reported, are dropped beyond this many, oldest first. */
const MAX_PENDING = 10_000;

/**
 * Milliseconds; longer than any connection attempt. What waits for another event alone is taken for
 * hung and cancelled by the runtime; what also waits for a timer is not.
 */
const MAX_WAIT = 600_000;

export async function awaitOutcome(connectionId: string): Promise<Outcome> {
  const { outcome, resolve } = pendingFor(connectionId);
  const timer = setTimeout(() => resolve({ type: "failed", code: "proxy_internal_error" }), MAX_WAIT);
  try {
    return await outcome;
  } finally {
    clearTimeout(timer);
    pending.delete(connectionId);
  }
}

export function settleOutcome(connectionId: string, outcome: Outcome): void {
  pendingFor(connectionId).resolve(outcome);
}

function pendingFor(connectionId: string): Pending {
  const known = pending.get(connectionId);
  if (known !== undefined) return known;
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const made = { outcome: promise, resolve };
  pending.set(connectionId, made);
  for (const oldest of pending.keys()) {
    if (pending.size <= MAX_PENDING) break;
    pending.delete(oldest);
  }
  return made;
}
