/**
 * Keeps how each `connect()` ended, by the id that its facade chose. A native `connect` to a Worker resolves
 * `opened` immediately, whatever happens behind it, so the facade asks here.
 *
 *   facade ── connect(id.host:port) ──▶ handler ── settle(id, outcome)
 *          ── Outcomes.of(id) ───────▶ awaitOutcome(id) ◀──┘
 */

import type { ConnectOutcome } from "./routing/egress-protocol.ts";

interface Pending {
  outcome: Promise<ConnectOutcome>;
  resolve: (outcome: ConnectOutcome) => void;
  host: Promise<string>;
  resolveHost: (host: string) => void;
}

/** Outcomes that were asked for and not reported yet, or reported and not asked for yet. */
const pending = new Map<string, Pending>();

/** Outcomes that were reported and not asked for. If the caller is gone, nobody will ask. */
const unclaimed = new Set<string>();

/** Beyond this many, the oldest is dropped. */
const MAX_UNCLAIMED = 100_000;

/**
 * Milliseconds; longer than any connection attempt. The runtime cancels an event that only waits for another
 * event, but not one that also waits for a timer.
 */
const MAX_WAIT = 600_000;

/** @param host for `awaitHost`, if the connection's address has no room for it */
export async function awaitOutcome(connectionId: string, host?: string): Promise<ConnectOutcome> {
  const { outcome, resolveHost } = pendingFor(connectionId);
  unclaimed.delete(connectionId);
  if (host !== undefined) resolveHost(host);
  try {
    return await within(MAX_WAIT, outcome, { type: "failed", code: "proxy_internal_error" });
  } finally {
    pending.delete(connectionId);
  }
}

export function settleOutcome(connectionId: string, outcome: ConnectOutcome): void {
  const isAsked = pending.has(connectionId);
  pendingFor(connectionId).resolve(outcome);
  if (isAsked) return;
  unclaimed.add(connectionId);
  if (unclaimed.size <= MAX_UNCLAIMED) return;
  for (const oldest of unclaimed) {
    unclaimed.delete(oldest);
    pending.delete(oldest);
    return;
  }
}

/** Milliseconds. The facade sends the host at the same time as it connects. */
const MAX_HOST_WAIT = 10_000;

/** @returns the host that the facade sent, or "" if it sent none */
export function awaitHost(connectionId: string): Promise<string> {
  return within(MAX_HOST_WAIT, pendingFor(connectionId).host, "");
}

async function within<T>(limit: number, promise: Promise<T>, otherwise: T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(otherwise), limit);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function pendingFor(connectionId: string): Pending {
  const known = pending.get(connectionId);
  if (known !== undefined) return known;
  const { promise: outcome, resolve } = Promise.withResolvers<ConnectOutcome>();
  const { promise: host, resolve: resolveHost } = Promise.withResolvers<string>();
  const made = { outcome, resolve, host, resolveHost };
  pending.set(connectionId, made);
  return made;
}
