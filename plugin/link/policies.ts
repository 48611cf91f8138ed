/**
 * Merges the TLS settings and limits that apply to a binding: those of the whole config and of the binding's entries.
 * Those of a route are added when it is chosen (`policiesFor`).
 */

import type { Limits, RouteSettings, TlsPolicy } from "../../service-worker/routing/table.ts";
import type { PolicyModel, Settings } from "../model.ts";

/** @param entries the entries whose "ca" is added to the one of the whole config */
export function mergeTls(
  verify: TlsPolicy["verify"],
  entries: readonly Pick<PolicyModel, "ca">[],
  { ca, trust }: Settings,
): TlsPolicy {
  if (trust === "production") return { verify, ca: [], trust };
  return { verify, ca: [...new Set([...ca, ...entries.flatMap((entry) => entry.ca)])] };
}

/** @returns undefined if nothing is left of them, because no "ca" counts */
export function settingsThatCount(settings: RouteSettings | undefined, { trust }: Settings): RouteSettings | undefined {
  if (trust !== "production" || settings?.ca === undefined) return settings;
  const { ca: _, ...others } = settings;
  return Object.keys(others).length > 0 ? others : undefined;
}

/** @param entries each overrides the entries before it, and all of them override the whole config */
export function mergeLimits(entries: readonly Pick<PolicyModel, "limits">[], settings: Settings): Limits {
  const merged = { ...settings.limits };
  for (const { limits } of entries) Object.assign(merged, limits);
  return merged;
}
