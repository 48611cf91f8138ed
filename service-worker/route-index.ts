/**
 * The routes of a table arranged for look-up: names and wildcards by text, addresses by masked prefix.
 * Made once per table; a look-up takes as long with a hundred thousand routes as with ten. Pure.
 */

import { type Host, isProblem, maskBytes, parseHost } from "./address.ts";
import type { Network, Route, RoutingTable } from "./table.ts";

/** A table with its routes arranged for look-up; made once per table. */
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
}

/** Longest prefix first; within one, masked address → routes. */
type PrefixIndex = { prefix: number; addresses: Map<string, Route[]> }[];

/** Wider than any range. */
const ALL_PORTS = 65_536;

export function indexTable(table: RoutingTable): IndexedTable {
  return { table, networks: table.networks.map(indexNetwork) };
}

/** Names are decided before addresses: exact, then one wildcard label. Addresses by the longest prefix. */
export function findRoute(network: NetworkIndex, host: Host, port: number): Route | undefined {
  for (const routes of matchesOf(network, host)) {
    const route = routes.find((candidate) => hasPort(candidate, port));
    if (route !== undefined) return route;
  }
  return undefined;
}

/** A route whose destination holds a host, and what became of it. */
export interface Candidate {
  route: Route;
  /** `outranked`: it would have been chosen, had the winner not been there. */
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

/** Every route, in the order of precedence; among equals by their destination. */
export function listRoutes({ names, wildcards, v4, v6 }: NetworkIndex): Route[] {
  return [names, wildcards, ...[...v4, ...v6].map(({ addresses }) => addresses)].flatMap(listByKey);
}

function listByKey(routes: Map<string, Route[]>): Route[] {
  return [...routes].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, same]) => same);
}

/**
 * The precedence, in one place: routes whose destination holds the host, one destination after the other.
 * Within one destination a port goes before a range, and a range before none.
 */
function* matchesOf(network: NetworkIndex, host: Host): Generator<readonly Route[]> {
  if (host.type === "name") {
    const exact = network.names.get(host.text);
    if (exact !== undefined) yield exact;
    const dot = host.text.indexOf(".");
    const wild = dot < 1 ? undefined : network.wildcards.get(host.text.slice(dot + 1));
    if (wild !== undefined) yield wild;
    return;
  }
  for (const { prefix, addresses } of host.version === 4 ? network.v4 : network.v6) {
    const routes = addresses.get(prefixKey(host.bytes, prefix));
    if (routes !== undefined) yield routes;
  }
}

function hasPort(route: Route, port: number): boolean {
  return route.ports === undefined || (route.ports.from <= port && port <= route.ports.to);
}

function indexNetwork(network: Network): NetworkIndex {
  const index: NetworkIndex = { network, names: new Map(), wildcards: new Map(), v4: [], v6: [] };
  const prefixes = { v4: new Map<number, Map<string, Route[]>>(), v6: new Map<number, Map<string, Route[]>>() };
  for (const route of network.routes) {
    const { match } = route;
    if (match.type === "name") {
      append(index.names, match.name, route);
    } else if (match.type === "wildcard") {
      append(index.wildcards, match.suffix, route);
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
  return index;
}

function append(routes: Map<string, Route[]>, key: string, route: Route): void {
  const same = routes.get(key);
  if (same === undefined) routes.set(key, [route]);
  else same.push(route);
}

/** The routes of one destination: a port, then the narrower range, then every port. */
function orderByPorts(routes: Map<string, Route[]>): void {
  for (const same of routes.values()) same.sort((a, b) => portSpan(a) - portSpan(b));
}

function portSpan({ ports }: Route): number {
  return ports === undefined ? ALL_PORTS : ports.to - ports.from;
}

function longestFirst(prefixes: Map<number, Map<string, Route[]>>): PrefixIndex {
  return [...prefixes].sort(([a], [b]) => b - a).map(([prefix, addresses]) => ({ prefix, addresses }));
}

function prefixKey(bytes: readonly number[], prefix: number): string {
  return String.fromCharCode(...maskBytes(bytes, prefix));
}
