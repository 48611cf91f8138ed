/** The TLS policy, the limits and the faults of a call: those of its binding, and what the route that it takes sets for itself. Pure. */

import type { Fault } from "./fault.ts";
import type { Limits, RouteSettings, TlsPolicy } from "./table.ts";

export interface Policies {
  tls: TlsPolicy;
  limits: Limits;
  /** Of the vpc config. Absent if there are none. */
  faults?: readonly Fault[];
}

/** The mode and each limit of a route win over the binding's. Its roots and faults are added to the binding's. */
export function policiesFor(binding: Policies, settings: RouteSettings | undefined): Policies {
  // Most routes have none, and each request asks.
  if (settings === undefined) return binding;
  const { verify = binding.tls.verify, ca = [], limits } = settings;
  const faults = [...(binding.faults ?? []), ...(settings.faults ?? [])];
  return {
    tls: { ...binding.tls, verify, ca: [...new Set([...binding.tls.ca, ...ca])] },
    limits: { ...binding.limits, ...limits },
    ...(faults.length > 0 && { faults }),
  };
}
