/**
 * Indexes the routes of a table: names and wildcards by text, addresses by masked prefix, `*` last. Made once per
 * table, so the time of a look-up doesn't depend on the number of routes. Pure.
 */

import { type Host, isProblem, maskBytes, parseHost } from "./address.ts";
import type { Network, Route, RoutingTable } from "./table.ts";

/** A table with an index of its routes; made once per table. */
export interface IndexedTable {
  table: RoutingTable;
  networks: NetworkIndex[];
}

export interface NetworkIndex {
  network: Network;
  names: Map<string, Route[]>;
  wildcards: Map<string, Route[]>;
  v4: PrefixIndex;
  v6: PrefixIndex;
  /** Those for `*`. */
  rest: Route[];
}

/** Longest prefix first; for each prefix, the routes by masked address. */
type PrefixIndex = { prefix: number; addresses: Map<string, Route[]> }[];

/** Larger than the span of any range. */
const ALL_PORTS = 65_536;

export function indexTable(table: RoutingTable): IndexedTable {
  return { table, networks: table.networks.map(indexNetwork) };
}

/** For a name, an exact route wins over a wildcard for one label. For an address, the longest prefix wins. `*` takes what is left. */
export function findRoute(network: NetworkIndex, host: Host, port: number): Route | undefined {
  for (const routes of matchesOf(network, host)) {
    const route = routes.find((candidate) => hasPort(candidate, port));
    if (route !== undefined) return route;
  }
  return undefined;
}

/** A route whose destination contains a host, and whether it won. */
export interface Candidate {
  route: Route;
  /** `outranked`: it would have won without the routes before it. */
  outcome: "won" | "other-port" | "outranked";
}

/** Every route that `findRoute` could have chosen, in its order of precedence. */
export function listCandidates(network: NetworkIndex, host: Host, port: number): Candidate[] {
  let hasWinner = false;
  return [...matchesOf(network, host)].flat().map((route) => {
    if (!hasPort(route, port)) return { route, outcome: "other-port" };
    const outcome = hasWinner ? "outranked" : "won";
    hasWinner = true;
    return { route, outcome };
  });
}

/** Every route in the order of precedence; equal ones are sorted by destination. */
export function listRoutes({ names, wildcards, v4, v6, rest }: NetworkIndex): Route[] {
  const all = [names, wildcards, ...[...v4, ...v6].map(({ addresses }) => addresses)].flatMap(listByKey);
  return [...all, ...rest];
}

function listByKey(routes: Map<string, Route[]>): Route[] {
  return [...routes].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, same]) => same);
}

/**
 * Defines the precedence: yields the routes whose destination contains the host, one destination after the other.
 * Within one destination, a port comes before a range, and a range before a route without ports.
 */
function* matchesOf(network: NetworkIndex, host: Host): Generator<readonly Route[]> {
  if (host.type === "name") {
    const exact = network.names.get(host.text);
    if (exact !== undefined) yield exact;
    const dot = host.text.indexOf(".");
    const wild = dot < 1 ? undefined : network.wildcards.get(host.text.slice(dot + 1));
    if (wild !== undefined) yield wild;
  } else {
    for (const { prefix, addresses } of host.version === 4 ? network.v4 : network.v6) {
      const routes = addresses.get(prefixKey(host.bytes, prefix));
      if (routes !== undefined) yield routes;
    }
  }
  yield network.rest;
}

function hasPort(route: Route, port: number): boolean {
  return route.ports === undefined || (route.ports.from <= port && port <= route.ports.to);
}

export function indexNetwork(network: Network): NetworkIndex {
  const index: NetworkIndex = { network, names: new Map(), wildcards: new Map(), v4: [], v6: [], rest: [] };
  const prefixes = { v4: new Map<number, Map<string, Route[]>>(), v6: new Map<number, Map<string, Route[]>>() };
  for (const route of network.routes) {
    const { match } = route;
    if (match.type === "name") {
      append(index.names, match.name, route);
    } else if (match.type === "wildcard") {
      append(index.wildcards, match.suffix, route);
    } else if (match.type === "any") {
      index.rest.push(route);
    } else {
      const host = parseHost(match.address);
      if (isProblem(host) || host.type !== "ip") throw new Error(`miniflare-vpc: bad route ${route.text}`);
      const version = host.version === 4 ? prefixes.v4 : prefixes.v6;
      const addresses = version.get(match.prefix) ?? new Map<string, Route[]>();
      version.set(match.prefix, addresses);
      append(addresses, prefixKey(host.bytes, match.prefix), route);
    }
  }
  index.v4 = longestFirst(prefixes.v4);
  index.v6 = longestFirst(prefixes.v6);
  for (const { addresses } of [...index.v4, ...index.v6]) orderByPorts(addresses);
  orderByPorts(index.names);
  orderByPorts(index.wildcards);
  index.rest.sort(byPorts);
  return index;
}

function append(routes: Map<string, Route[]>, key: string, route: Route): void {
  const same = routes.get(key);
  if (same === undefined) routes.set(key, [route]);
  else same.push(route);
}

function orderByPorts(routes: Map<string, Route[]>): void {
  for (const same of routes.values()) same.sort(byPorts);
}

/** Orders the routes of one destination: a port, then ranges from narrow to wide, then every port. */
function byPorts(a: Route, b: Route): number {
  return portSpan(a) - portSpan(b);
}

function portSpan({ ports }: Route): number {
  return ports === undefined ? ALL_PORTS : ports.to - ports.from;
}

function longestFirst(prefixes: Map<number, Map<string, Route[]>>): PrefixIndex {
  return [...prefixes].sort(([a], [b]) => b - a).map(([prefix, addresses]) => ({ prefix, addresses }));
}

/** The network of an address as a text. @param bytes most significant first */
export function prefixKey(bytes: readonly number[], prefix: number): string {
  return String.fromCharCode(...maskBytes(bytes, prefix));
}
