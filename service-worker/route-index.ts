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

/**
 * Names are decided before addresses: exact, then one wildcard label. Addresses by the longest prefix.
 * Within one destination a port goes before a range, and a range before none.
 */
export function findRoute(network: NetworkIndex, host: Host, port: number): Route | undefined {
  return host.type === "name"
    ? matchName(network, host.text, port)
    : matchAddress(host.version === 4 ? network.v4 : network.v6, host.bytes, port);
}

function matchName(network: NetworkIndex, name: string, port: number): Route | undefined {
  const exact = network.names.get(name)?.find((route) => hasPort(route, port));
  if (exact !== undefined) return exact;
  const dot = name.indexOf(".");
  return dot < 1 ? undefined : network.wildcards.get(name.slice(dot + 1))?.find((route) => hasPort(route, port));
}

function matchAddress(prefixes: PrefixIndex, bytes: readonly number[], port: number): Route | undefined {
  for (const { prefix, addresses } of prefixes) {
    const route = addresses.get(prefixKey(bytes, prefix))?.find((candidate) => hasPort(candidate, port));
    if (route !== undefined) return route;
  }
  return undefined;
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
  return index;
}

/** Keeps the routes of one destination ordered: a port, then the narrower range, then every port. */
function append(routes: Map<string, Route[]>, key: string, route: Route): void {
  const same = routes.get(key);
  if (same === undefined) {
    routes.set(key, [route]);
  } else {
    same.push(route);
    same.sort((a, b) => portSpan(a) - portSpan(b));
  }
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
