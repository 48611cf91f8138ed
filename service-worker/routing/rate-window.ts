/** Counts the calls of each binding in fixed windows, as Cloudflare's rate limiting binding does. */

import type { RateLimit } from "./table.ts";

/** By `bindingKey`. */
export type RateWindows = Map<string, RateWindow>;

interface RateWindow {
  /** Milliseconds. The current period decides when the window ends, because an edit may change it. */
  start: number;
  calls: number;
}

/** @returns why the call is one too many; undefined if it isn't */
export function countInWindow(
  windows: RateWindows,
  bindingId: string,
  { limit, period }: RateLimit,
): string | undefined {
  const now = Date.now();
  const known = windows.get(bindingId);
  const window = known !== undefined && now < known.start + period * 1000 ? known : { start: now, calls: 0 };
  windows.set(bindingId, window);
  window.calls++;
  if (window.calls <= limit) return undefined;
  const left = Math.ceil((window.start - now) / 1000 + period);
  return `"rateLimit" allows ${limit} ${limit === 1 ? "call" : "calls"} in ${period} s; ${left} s are left`;
}
