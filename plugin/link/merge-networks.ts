/**
 * Merges the routes of all networks into those of `cf1:network`, where each destination has one target and its settings.
 */

import { type Route, type Target, matchKey } from "../../service-worker/routing/table.ts";
import type { Path } from "../read/locate.ts";
import { findOverlaps } from "../parse/port-ranges.ts";

/** A route and its place in the config. */
export interface PlacedRoute {
  route: Route;
  at: Path;
}

/** Two networks that disagree about a destination: `kept` wins. */
export interface Conflict {
  kept: PlacedRoute;
  dropped: PlacedRoute;
}

/**
 * @param own the routes of the union's own entry; they win without a warning
 * @param others the routes of all other networks, in file order; if two disagree, the first one wins
 */
export function mergeRoutes(
  own: readonly PlacedRoute[],
  others: readonly PlacedRoute[],
): { routes: Route[]; conflicts: Conflict[] } {
  const conflicts: Conflict[] = [];
  const isOwn = new Set(own);
  const routes: Route[] = [];
  for (const same of Map.groupBy([...own, ...others], ({ route }) => matchKey(route.match)).values()) {
    let left = same.map(rangeOf);
    for (let overlaps = findOverlaps(left); overlaps.length > 0; overlaps = findOverlaps(left)) {
      const dropped = new Set(overlaps.map(({ later }) => later));
      left = left.filter((candidate) => !dropped.has(candidate));
      for (const { earlier, later, isEqual } of overlaps) {
        const isSame = isEqual && leadToSame(earlier.placed.route, later.placed.route);
        if (!isSame && !isOwn.has(earlier.placed) && !areInOneNetwork(earlier.placed, later.placed))
          conflicts.push({ kept: earlier.placed, dropped: later.placed });
      }
    }
    routes.push(...left.map(({ placed }) => placed.route));
  }
  return { routes, conflicts };
}

/** Such a pair is an error of that network. */
function areInOneNetwork(a: PlacedRoute, b: PlacedRoute): boolean {
  return a.at[0] === b.at[0] && a.at[1] === b.at[1];
}

function rangeOf(placed: PlacedRoute): Pick<Route, "ports"> & { placed: PlacedRoute } {
  const { ports } = placed.route;
  return ports === undefined ? { placed } : { ports, placed };
}

function leadToSame(a: Route, b: Route): boolean {
  return JSON.stringify([targetOf(a), a.settings]) === JSON.stringify([targetOf(b), b.settings]);
}

/** The target of a route, without resolvers if the destination is an address: addresses need no lookup. */
function targetOf({ match, target }: Route): Target {
  return match.type === "cidr" && target.type === "passthrough" ? { type: "passthrough" } : target;
}
