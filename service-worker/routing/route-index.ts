/**
 * Indexes the routes of a table: names and wildcards by text, addresses by masked prefix, `*` last. Made once per
 * table, so the time of a look-up doesn't depend on the number of routes. A look-up reads little memory and makes little,
 * because the processor's cache holds few of very many routes (docs/performance.md). Pure.
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
  names: Map<string, Routes>;
  wildcards: Map<string, Routes>;
  v4: PrefixIndex;
  v6: PrefixIndex;
  /** Those for `*`. */
  rest: Route[];
}

/** The routes of one destination, which differ in their ports. Usually there is one, without a list around it. */
type Routes = Route | Route[];

/** Longest prefix first; for each prefix, the routes by masked address. */
type PrefixIndex = { prefix: number; addresses: Map<AddressKey, Routes> }[];

/** A number for IPv4, because it is made faster. */
type AddressKey = number | string;

/** Larger than the span of any range. */
const ALL_PORTS = 65_536;

export function indexTable(table: RoutingTable): IndexedTable {
  return { table, networks: table.networks.map(indexNetwork) };
}

/** For a name, an exact route wins over a wildcard for one label. For an address, the longest prefix wins. `*` takes what is left. */
export function findRoute(network: NetworkIndex, host: Host, port: number): Route | undefined {
  return firstOf(network, host, (routes) => {
    if (!Array.isArray(routes)) return hasPort(routes, port) ? routes : undefined;
    return routes.find((route) => hasPort(route, port));
  });
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
  const all: Route[] = [];
  firstOf(network, host, (routes) => void all.push(...listOf(routes)));
  return all.map((route) => {
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

function listByKey(routes: Map<AddressKey, Routes>): Route[] {
  return [...routes].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, same]) => listOf(same));
}

function listOf(routes: Routes): readonly Route[] {
  return Array.isArray(routes) ? routes : [routes];
}

/**
 * Defines the precedence: passes on the routes whose destination contains the host, one destination after the other.
 * Within one destination, a port comes before a range, and a range before a route without ports.
 *
 * @returns the first result that isn't undefined
 */
function firstOf<T>(network: NetworkIndex, host: Host, choose: (routes: Routes) => T | undefined): T | undefined {
  if (host.type === "name") {
    const exact = network.names.get(host.text);
    const chosen = exact && choose(exact);
    if (chosen !== undefined) return chosen;
    const dot = host.text.indexOf(".");
    const wild = dot < 1 ? undefined : network.wildcards.get(host.text.slice(dot + 1));
    const other = wild && choose(wild);
    if (other !== undefined) return other;
  } else {
    for (const { prefix, addresses } of host.version === 4 ? network.v4 : network.v6) {
      const routes = addresses.get(addressKey(host.bytes, prefix));
      const chosen = routes && choose(routes);
      if (chosen !== undefined) return chosen;
    }
  }
  return choose(network.rest);
}

function hasPort(route: Route, port: number): boolean {
  return route.ports === undefined || (route.ports.from <= port && port <= route.ports.to);
}

export function indexNetwork(network: Network): NetworkIndex {
  const index: NetworkIndex = { network, names: new Map(), wildcards: new Map(), v4: [], v6: [], rest: [] };
  const prefixes = { v4: new Map<number, Map<AddressKey, Routes>>(), v6: new Map<number, Map<AddressKey, Routes>>() };
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
      const addresses = version.get(match.prefix) ?? new Map<AddressKey, Routes>();
      version.set(match.prefix, addresses);
      append(addresses, addressKey(host.bytes, match.prefix), route);
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

function append<Key extends AddressKey>(routes: Map<Key, Routes>, key: Key, route: Route): void {
  const same = routes.get(key);
  if (same === undefined) routes.set(key, route);
  else if (Array.isArray(same)) same.push(route);
  else routes.set(key, [same, route]);
}

function orderByPorts(routes: Map<AddressKey, Routes>): void {
  for (const same of routes.values()) if (Array.isArray(same)) same.sort(byPorts);
}

/** Orders the routes of one destination: a port, then ranges from narrow to wide, then every port. */
function byPorts(a: Route, b: Route): number {
  return portSpan(a) - portSpan(b);
}

function portSpan({ ports }: Route): number {
  return ports === undefined ? ALL_PORTS : ports.to - ports.from;
}

function longestFirst(prefixes: Map<number, Map<AddressKey, Routes>>): PrefixIndex {
  return [...prefixes].sort(([a], [b]) => b - a).map(([prefix, addresses]) => ({ prefix, addresses }));
}

function addressKey(bytes: readonly number[], prefix: number): AddressKey {
  if (bytes.length > 4) return prefixKey(bytes, prefix);
  // A shift by 32 would be none.
  return prefix === 0 ? 0 : bytes.reduce((number, byte) => (number << 8) | byte, 0) >>> (32 - prefix);
}

/** The network of an address as a text. @param bytes most significant first */
export function prefixKey(bytes: readonly number[], prefix: number): string {
  return String.fromCharCode(...maskBytes(bytes, prefix));
}
