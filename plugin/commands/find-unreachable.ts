/**
 * Finds routes of one network that no destination can reach, because more specific routes cover all of their
 * addresses and ports. Equal and partly overlapping routes are errors, which the parser of a network reports.
 */

import { isProblem, parseHost } from "../../service-worker/routing/address.ts";
import { matchKey } from "../../service-worker/routing/table.ts";
import { mergeRoutes } from "../link/merge-networks.ts";
import type { RouteModel } from "../model.ts";
import { findOverlaps } from "../parse/port-ranges.ts";
import { toRoute } from "./find-idle-rest.ts";

export interface Unreachable {
  route: RouteModel;
  /** The routes that cover it; at least one. */
  by: RouteModel[];
}

export function findUnreachable(routes: readonly RouteModel[]): Unreachable[] {
  const found: Unreachable[] = [];
  const addresses: Addressed[] = [];
  const byDestination = Map.groupBy(routes, (route) => matchKey(route.match));
  for (const all of byDestination.values()) {
    const same = withoutOverlaps(all);
    const [first] = same;
    if (first?.match.type === "cidr") addresses.push({ bits: bitsOf(first.match), routes: same });
    // Names, wildcards and `*` never cover each other: only routes of the same one compete, by port.
    else {
      const alone = [{ bits: "", routes: same }];
      for (const route of findLosers(same, [ALL_PORTS])) found.push({ route, by: findCovering(route, alone) });
    }
  }
  addresses.sort((a, b) => (a.bits < b.bits ? -1 : 1));
  findFreePorts({ addresses, from: 0, to: addresses.length, depth: 0 }, found);
  return found;
}

/** An equal or partly overlapping route is an error of its own, so nothing more is said about it. */
function withoutOverlaps(same: RouteModel[]): RouteModel[] {
  const later = new Set(findOverlaps(same).map((overlap) => overlap.later));
  return later.size === 0 ? same : withoutOverlaps(same.filter((route) => !later.has(route)));
}

/**
 * Finds the routes of `cf1:network` itself that those of the other networks cover. What its own routes cover is left out.
 *
 * @param own the routes of its entry
 * @param alone what `findUnreachable` finds of them
 */
export function findUnreachableInMesh(
  own: readonly RouteModel[],
  others: readonly RouteModel[],
  alone: readonly Unreachable[],
): Unreachable[] {
  const candidates = new Set(own).difference(new Set(alone.map(({ route }) => route)));
  const modelOf = new Map([...own, ...others].map((model) => [toRoute(model), model] as const));
  const placed = [...modelOf].map(([route, { at }]) => ({ route, at }));
  const { routes } = mergeRoutes(placed.slice(0, own.length), placed.slice(own.length));
  const merged = routes.flatMap((route) => modelOf.get(route) ?? []);
  return findUnreachable(merged).filter(({ route }) => candidates.has(route));
}

interface Ports {
  from: number;
  to: number;
}

const ALL_PORTS: Ports = { from: 1, to: 65_535 };

function portsOf({ ports }: RouteModel): Ports {
  return ports ?? ALL_PORTS;
}

/** The routes of one address or prefix. */
interface Addressed {
  /** `0` for IPv4 or `1` for IPv6, then the prefix, one digit per bit. It contains every other whose bits start with these. */
  bits: string;
  routes: RouteModel[];
}

function bitsOf({ address, prefix }: RouteModel["match"] & { type: "cidr" }): string {
  const host = parseHost(address);
  if (isProblem(host) || host.type !== "ip") throw new Error(`miniflare-vpc: bad address ${address}`);
  const bits = host.bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return `${host.version === 4 ? "0" : "1"}${bits.slice(0, prefix)}`;
}

/** A part of the sorted list, whose items share their first `depth` bits. */
interface Slice {
  addresses: readonly Addressed[];
  from: number;
  to: number;
  depth: number;
}

/**
 * Adds the unreachable routes of a slice to `found`.
 *
 * @returns the ports for which some address with these bits has no route
 */
function findFreePorts(slice: Slice, found: Unreachable[]): Ports[] {
  const { addresses, from, to, depth } = slice;
  const first = addresses[from];
  if (first === undefined || from >= to) return [ALL_PORTS];
  // The list is sorted, so an item that has only the common bits comes first.
  if (first.bits.length > depth) return findFreePortsBelow(slice, found);
  const below = from + 1 === to ? [ALL_PORTS] : findFreePortsBelow({ ...slice, from: from + 1 }, found);
  for (const route of findLosers(first.routes, below)) {
    found.push({ route, by: findCovering(route, addresses.slice(from, to)) });
  }
  return first.routes.reduce((left, route) => subtract(left, portsOf(route)), below);
}

function findFreePortsBelow({ addresses, from, to, depth }: Slice, found: Unreachable[]): Ports[] {
  let middle = from;
  while (middle < to && addresses[middle]?.bits[depth] === "0") middle++;
  const zeros = findFreePorts({ addresses, from, to: middle, depth: depth + 1 }, found);
  const ones = findFreePorts({ addresses, from: middle, to, depth: depth + 1 }, found);
  return unite(zeros, ones);
}

/**
 * @param addresses the route's own address and all addresses inside it, the wider ones first
 * @returns the routes that cover this one. Of nested routes, only the outermost
 */
function findCovering(route: RouteModel, addresses: readonly Addressed[]): RouteModel[] {
  const ports = portsOf(route);
  const kept: { bits: string; other: RouteModel }[] = [];
  for (const { bits, routes } of addresses) {
    const isOwn = bits === addresses[0]?.bits;
    for (const other of routes.toSorted((a, b) => spanOf(b) - spanOf(a))) {
      const isBefore = isOwn ? spanOf(other) < spanOf(route) : true;
      const isIn = (holder: (typeof kept)[number]): boolean =>
        bits.startsWith(holder.bits) && doesHold(portsOf(holder.other), clip(portsOf(other), ports));
      if (other !== route && isBefore && doOverlap(portsOf(other), ports) && !kept.some(isIn))
        kept.push({ bits, other });
    }
  }
  return kept.map(({ other }) => other);
}

function clip(ports: Ports, to: Ports): Ports {
  return { from: Math.max(ports.from, to.from), to: Math.min(ports.to, to.to) };
}

function doesHold(holder: Ports, held: Ports): boolean {
  return holder.from <= held.from && held.to <= holder.to;
}

/** A route without ports is wider than one with a range of all ports. */
function spanOf({ ports }: RouteModel): number {
  return ports === undefined ? ALL_PORTS.to : ports.to - ports.from;
}

/** @returns the routes of one destination that win none of the free ports */
function findLosers(same: readonly RouteModel[], free: readonly Ports[]): RouteModel[] {
  const winners = new Set<RouteModel>();
  for (const { route, from, to } of winningPorts(same)) {
    if (free.some((ports) => doOverlap(ports, { from, to }))) winners.add(route);
  }
  return same.filter((route) => !winners.has(route));
}

/** Finds the route that each port of one destination leads to. The innermost range wins. */
function winningPorts(same: readonly RouteModel[]): (Ports & { route: RouteModel })[] {
  const segments: (Ports & { route: RouteModel })[] = [];
  /** Ranges that contain the next port, the innermost last. */
  const open: RouteModel[] = [];
  let next = 0;
  const winUpTo = (route: RouteModel, to: number): void => {
    if (next <= to) segments.push({ route, from: next, to });
    next = Math.max(next, to + 1);
  };
  const close = (before: number): void => {
    for (let last = open.at(-1); last !== undefined && portsOf(last).to < before; last = open.at(-1)) {
      winUpTo(last, portsOf(last).to);
      open.pop();
    }
  };
  // The wider range first.
  for (const route of same.toSorted((a, b) => portsOf(a).from - portsOf(b).from || spanOf(b) - spanOf(a))) {
    const { from } = portsOf(route);
    close(from);
    const holder = open.at(-1);
    if (holder !== undefined) winUpTo(holder, from - 1);
    next = from;
    open.push(route);
  }
  close(Infinity);
  return segments;
}

function doOverlap(a: Ports, b: Ports): boolean {
  return a.from <= b.to && b.from <= a.to;
}

/** @param from ascending and separate ranges. The result has the same form. */
function subtract(from: readonly Ports[], taken: Ports): Ports[] {
  return from.flatMap((ports) => {
    if (!doOverlap(ports, taken)) return [ports];
    return [
      { from: ports.from, to: taken.from - 1 },
      { from: taken.to + 1, to: ports.to },
    ].filter((left) => left.from <= left.to);
  });
}

function unite(a: readonly Ports[], b: readonly Ports[]): Ports[] {
  const united: Ports[] = [];
  for (const ports of [...a, ...b].sort((x, y) => x.from - y.from)) {
    const last = united.at(-1);
    if (last === undefined || last.to + 1 < ports.from) united.push({ ...ports });
    else last.to = Math.max(last.to, ports.to);
  }
  return united;
}
