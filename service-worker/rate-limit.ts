/** Counts the calls of each binding in fixed windows, as Cloudflare's rate limiting binding does. */

import { ProxyError } from "./proxy-error.ts";
import type { RateLimit } from "./routing/table.ts";

interface Window {
  /** Milliseconds. The current period decides when the window ends, because an edit may change it. */
  start: number;
  calls: number;
}

/** By `bindingKey`. */
const windows = new Map<string, Window>();

/** @throws {ProxyError} `rate_limited` */
export function countCall(bindingId: string, { limit, period }: RateLimit): void {
  const now = Date.now();
  const known = windows.get(bindingId);
  const window = known !== undefined && now < known.start + period * 1000 ? known : { start: now, calls: 0 };
  windows.set(bindingId, window);
  window.calls++;
  if (window.calls <= limit) return;
  const left = Math.ceil((window.start - now) / 1000 + period);
  throw new ProxyError("rate_limited", {
    reason: `"rateLimit" allows ${limit} ${limit === 1 ? "call" : "calls"} in ${period} s; ${left} s are left`,
  });
}
