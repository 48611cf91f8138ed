/**
 * The routes of `cf1:network`: the union of all networks, in which one destination has one target.
 */

import type { Route, Target } from "../../service-worker/table.ts";
import { matchKey } from "../model.ts";
import type { Path } from "../read/locate.ts";
import { findOverlaps } from "../parse/port-ranges.ts";

/** A route, and where in the config it stands. */
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
 * @param own the routes of the union's own entry; they win without a word
 * @param others all other networks' routes, in file order; of two that disagree the first wins
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
        if (!isSame && !isOwn.has(earlier.placed)) conflicts.push({ kept: earlier.placed, dropped: later.placed });
      }
    }
    routes.push(...left.map(({ placed }) => placed.route));
  }
  return { routes, conflicts };
}

function rangeOf(placed: PlacedRoute): Pick<Route, "ports"> & { placed: PlacedRoute } {
  const { ports } = placed.route;
  return ports === undefined ? { placed } : { ports, placed };
}

function leadToSame(a: Route, b: Route): boolean {
  return JSON.stringify(targetOf(a)) === JSON.stringify(targetOf(b));
}

/** Without its resolvers where the destination is an address: none is asked for it. */
function targetOf({ match, target }: Route): Target {
  return match.type === "cidr" && target.type === "passthrough" ? { type: "passthrough" } : target;
}
