/** Refuses a call of a binding that is one too many in its period. */

import { ProxyError } from "./proxy-error.ts";
import { type RateWindows, countInWindow } from "./routing/rate-window.ts";
import type { RateLimit } from "./routing/table.ts";

const windows: RateWindows = new Map();

/** @throws {ProxyError} `rate_limited` */
export function countCall(bindingId: string, limit: RateLimit): void {
  const reason = countInWindow(windows, bindingId, limit);
  if (reason !== undefined) throw new ProxyError("rate_limited", { reason });
}
