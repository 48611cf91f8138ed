/**
 * The table as it travels to the service worker. Its usual routes, of which there can be very many, are one flat list of
 * texts and numbers, which takes a third of the bytes and is faster to write and to read. Pure.
 */

import { type Network, type Route, type RouteMatch, type RoutingTable, type Target, matchKey } from "./table.ts";

export interface PackedTable extends Omit<RoutingTable, "networks"> {
  networks: PackedNetwork[];
}

interface PackedNetwork extends Omit<Network, "routes"> {
  /** How the origins of the usual routes begin. */
  prefix: string;
  /** The members of one `Cells` after those of another. */
  usual: Cells[number][];
  /** The other routes, each with its index among all. */
  others: [index: number, route: Route][];
}

/** A usual route: the members that follow each other. */
type Cells = [
  /** A `matchKey`. */
  destination: string,
  /** Ports; 0: every port. */
  from: number,
  to: number,
  /** Empty: it is the destination and the ports. */
  text: string,
  host: string,
  port: number,
  /** The end of its origin. */
  place: string,
];

const CELLS = 7;

export function packTable({ networks, ...table }: RoutingTable): PackedTable {
  return { ...table, networks: networks.map(packNetwork) };
}

export function unpackTable({ networks, ...table }: PackedTable): RoutingTable {
  return { ...table, networks: networks.map(unpackNetwork) };
}

function packNetwork({ routes, ...network }: Network): PackedNetwork {
  // Up to the line, if there are lines.
  const prefix = commonStart(network.origin, routes[0]?.origin ?? "").replace(/:[\d:]*$/, ":");
  const packed: PackedNetwork = { ...network, prefix, usual: [], others: [] };
  // Not entries(), which makes a list for each.
  let index = -1;
  for (const route of routes) {
    index++;
    const { target, ports, origin } = route;
    if (!hasUsualMembers(route) || !isUsual(target) || !origin.startsWith(prefix)) {
      packed.others.push([index, route]);
      continue;
    }
    const destination = matchKey(route.match);
    const { from, to } = ports ?? { from: 0, to: 0 };
    const text = route.text === formatDestination(destination, from, to) ? "" : route.text;
    packed.usual.push(destination, from, to, text, target.host, target.port, origin.slice(prefix.length));
  }
  return packed;
}

/** Text, match, target, origin, and perhaps ports. */
function hasUsualMembers(route: Route): boolean {
  return Object.keys(route).length === (route.ports === undefined ? 4 : 5);
}

function isUsual(target: Target): target is { type: "address"; host: string; port: number } {
  return target.type === "address" && target.port !== undefined && Object.keys(target).length === 3;
}

function unpackNetwork({ prefix, usual, others, ...network }: PackedNetwork): Network {
  const routes: Route[] = [];
  const rest = others.values();
  const count = usual.length / CELLS + others.length;
  let other = rest.next().value;
  for (let start = 0; routes.length < count;) {
    if (other?.[0] === routes.length) {
      routes.push(other[1]);
      other = rest.next().value;
    } else {
      routes.push(unpackRoute(usual, start, prefix));
      start += CELLS;
    }
  }
  return { ...network, routes };
}

/** Without an array for each, because there can be very many. */
function unpackRoute(usual: PackedNetwork["usual"], start: number, prefix: string): Route {
  // `packNetwork` has written it.
  const cell = <Index extends keyof Cells & number>(index: Index): Cells[Index] => usual[start + index] as Cells[Index];
  const destination = cell(0);
  const from = cell(1);
  const to = cell(2);
  const text = cell(3);
  const route: Route = {
    text: text === "" ? formatDestination(destination, from, to) : text,
    match: readMatch(destination),
    target: { type: "address", host: cell(4), port: cell(5) },
    origin: prefix + cell(6),
  };
  if (from !== 0) route.ports = { from, to };
  return route;
}

/** @param key a `matchKey` */
function readMatch(key: string): RouteMatch {
  if (key === "*") return { type: "any" };
  if (key.startsWith("*.")) return { type: "wildcard", suffix: key.slice(2) };
  const slash = key.indexOf("/");
  if (slash === -1) return { type: "name", name: key };
  return { type: "cidr", address: key.slice(0, slash), prefix: Number(key.slice(slash + 1)) };
}

function formatDestination(key: string, from: number, to: number): string {
  if (from === 0) return key;
  return from === to ? `${key}:${from}` : `${key}:${from}-${to}`;
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
