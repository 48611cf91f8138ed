/** Links the routes of one network. */

import type { Route } from "../../service-worker/routing/table.ts";
import type { NetworkModel } from "../model.ts";
import type { Path } from "../read/locate.ts";
import type { PlacedRoute } from "./merge-networks.ts";
import { settingsThatCount } from "./policies.ts";
import { type Resolving, resolveTarget } from "./resolve-target.ts";

/** Those whose target is reported are left out. */
export function linkRoutes(
  { routes, resolvers }: Pick<NetworkModel, "routes" | "resolvers">,
  resolving: Resolving & { originOf: (at: Path) => string },
): PlacedRoute[] {
  const placed: PlacedRoute[] = [];
  for (const { text, match, ports, target, at, origin, settings: own, composeService } of routes) {
    const resolved = resolveTarget(target, resolvers, resolving);
    if (resolved === undefined) continue;
    const settings = settingsThatCount(own, resolving.model.settings);
    const route: Route = { text, match, target: resolved, origin: origin ?? resolving.originOf(at) };
    // No spreads, because there can be very many.
    if (ports !== undefined) route.ports = ports;
    if (settings !== undefined) route.settings = settings;
    if (composeService !== undefined) route.composeService = composeService;
    placed.push({ route, at });
  }
  return placed;
}
