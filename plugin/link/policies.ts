/**
 * What the calls of a binding are held to: settings of the whole config, and of the entries that count for it.
 */

import type { Limits, TlsPolicy } from "../../service-worker/table.ts";
import type { PolicyModel, Settings } from "../model.ts";

export interface Policies {
  tls: TlsPolicy;
  limits: Limits;
}

/** @param entries those whose "ca" counts, besides that of the whole config */
export function mergeTls(
  verify: TlsPolicy["verify"],
  entries: readonly Pick<PolicyModel, "ca">[],
  settings: Settings,
): TlsPolicy {
  return { verify, ca: [...new Set([...settings.ca, ...entries.flatMap(({ ca }) => ca)])] };
}

/** @param entries each overrides those before it, and all of them the whole config */
export function mergeLimits(entries: readonly Pick<PolicyModel, "limits">[], settings: Settings): Limits {
  const merged = { ...settings.limits };
  for (const { limits } of entries) Object.assign(merged, limits);
  return merged;
}
