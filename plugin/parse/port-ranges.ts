/**
 * Compares the port ranges of one destination. Two ranges must not overlap unless one is inside the other; then the
 * narrower one wins.
 */

export const MAX_PORT = 65_535;

interface PortRange {
  ports?: { from: number; to: number };
}

/** Wider than any range, for a route that applies to every port. */
const ALL_PORTS = { from: 0, to: MAX_PORT + 1 };

export interface Overlap<T> {
  /** Comes first in the list. */
  earlier: T;
  later: T;
  /** False: they share some ports, and each has some ports that the other doesn't have. */
  isEqual: boolean;
}

/**
 * @param routes the routes of one destination
 * @returns pairs of equal or partly overlapping ranges, at least one for each cluster of them; no pairs if all ranges
 * are separate or nested
 */
export function findOverlaps<T extends PortRange>(routes: readonly T[]): Overlap<T>[] {
  if (routes.length < 2) return [];
  const order = new Map(routes.map((route, index) => [route, index]));
  const found: Overlap<T>[] = [];
  /** Ranges that contain the current one, the innermost last. */
  const open: T[] = [];
  // By start, the wider range first, so that a range comes after all ranges that can contain it.
  for (const route of routes.toSorted((a, b) => portsOf(a).from - portsOf(b).from || portsOf(b).to - portsOf(a).to)) {
    const { from, to } = portsOf(route);
    while (open.length > 0 && portsOf(open.at(-1)).to < from) open.pop();
    const holder = open.at(-1);
    const isEqual = holder !== undefined && portsOf(holder).from === from && portsOf(holder).to === to;
    if (holder === undefined || (to <= portsOf(holder).to && !isEqual)) {
      open.push(route);
      continue;
    }
    const isInOrder = (order.get(holder) ?? 0) < (order.get(route) ?? 0);
    found.push(isInOrder ? { earlier: holder, later: route, isEqual } : { earlier: route, later: holder, isEqual });
  }
  return found;
}

/** Formats the ports that two overlapping ranges share, as in a destination. */
export function formatSharedPorts(a: PortRange, b: PortRange): string {
  const from = Math.max(portsOf(a).from, portsOf(b).from);
  const to = Math.min(portsOf(a).to, portsOf(b).to);
  return from === to ? `:${from}` : `:${from}-${to}`;
}

function portsOf(route: PortRange | undefined): { from: number; to: number } {
  return route?.ports ?? ALL_PORTS;
}
