/**
 * Parses the limits of the whole config or of one entry. Adds no defaults, except for the period of a rate limit.
 */

import type { Limits } from "../../service-worker/routing/table.ts";
import type { VpcLimits } from "../config.ts";
import type { Checked } from "./check-fields.ts";

const NUMBERS = [
  "connectTimeout",
  "dnsTimeout",
  "readTimeout",
  "writeTimeout",
  "connectionLimit",
  "workerLimit",
] as const;

/** Seconds. */
const DEFAULT_PERIOD = 60;

export function parseLimits(checked: Checked<VpcLimits>): Partial<Limits> {
  const limits: Partial<Limits> = {};
  for (const key of NUMBERS) {
    const value = checked[key];
    if (value !== undefined) limits[key] = value;
  }
  const { limit, period = DEFAULT_PERIOD } = checked.rateLimit ?? {};
  if (limit !== undefined) limits.rateLimit = { limit, period };
  return limits;
}
