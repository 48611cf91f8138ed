/**
 * The https targets whose host name and address are known before a request comes: those of routes for an exact name, and
 * of services whose record names the host. Pure.
 */

import { formatEndpoint, isProblem, parseHost } from "../../service-worker/routing/address.ts";
import { type RoutedCall, httpWayOf } from "../../service-worker/routing/transport.ts";
import { placeTarget } from "../../service-worker/routing/decide.ts";
import type { TargetKey } from "../../service-worker/routing/forward-target.ts";
import { type Policies, policiesFor } from "../../service-worker/routing/route-settings.ts";
import type { Binding, Route, RoutingTable, Scheme, Target, TlsPolicy } from "../../service-worker/routing/table.ts";

export interface SecureTarget {
  /** What the certificate must be for. */
  hostName: string;
  /** `host:port` */
  address: string;
  target: { type: "address"; host: string; port: number };
  policy: TlsPolicy;
}

/** Each has a TLS context of its own, which lengthens every start, whether it is used or not (docs/performance.md). */
export const MAX_SECURE = 64;

/** By the name of its binding, up to `MAX_SECURE`. If there are more, those that say https come first. */
export function knownSecureTargets(table: RoutingTable): Map<TargetKey, SecureTarget> {
  const said = new Map<TargetKey, SecureTarget>();
  const others = new Map<TargetKey, SecureTarget>();
  const isWanted: IsWanted = (target, port) => saysHttps(target, port) || others.size < MAX_SECURE;
  for (const candidate of candidatesOf(table, isWanted)) {
    if (said.size >= MAX_SECURE) break;
    addTo(saysHttps(candidate.target, candidate.ports.https) ? said : others, candidate);
  }
  return new Map([...said, ...others].slice(0, MAX_SECURE));
}

/** Asked before a candidate is made, because there can be very many. @param port of https */
type IsWanted = (target: AddressTarget, port: number | undefined) => boolean;

function saysHttps({ scheme }: AddressTarget, port: number | undefined): boolean {
  return scheme === "https" || port === 443;
}

/** A host that has a target of its own. */
interface Candidate {
  host: string;
  /** The destination's port for each scheme. Absent: the scheme isn't served, or the port is known only with the request. */
  ports: Partial<Record<Scheme, number>>;
  target: AddressTarget;
  binding: RoutedCall["binding"];
  policies: Policies;
}

type AddressTarget = Target & { type: "address" };

function addTo(
  known: Map<TargetKey, SecureTarget>,
  { host, ports, target, binding, policies: { tls, limits } }: Candidate,
): void {
  for (const scheme of ["https", "http"] as const) {
    const port = ports[scheme];
    if (port === undefined || (target.scheme ?? scheme) === "http") continue;
    const to = placeTarget(target, { scheme, host, port });
    if (to.type !== "address") continue;
    const way = httpWayOf(new URL(`${scheme}://${host}/`), { to, limits, tls, binding });
    if (way.type !== "http" || way.direct === undefined) continue;
    const dialled = { type: "address", host: to.host, port: to.port } as const;
    known.set(way.direct, { hostName: host, address: formatEndpoint(to.host, to.port), target: dialled, policy: tls });
  }
}

function* candidatesOf(table: RoutingTable, isWanted: IsWanted): Generator<Candidate> {
  const namedRoutes = table.networks.map(({ routes }) => once(() => Map.groupBy(routes, nameOf)));
  /** Bindings often share a network and all of their policies. */
  const seen = new Set<string>();
  for (const binding of Object.values(table.bindings)) {
    if (binding.kind === "unlinked") continue;
    if (binding.kind === "service") {
      const found = candidatesOfService(binding, (network, host) => namedRoutes[network]?.().get(host) ?? []);
      for (const candidate of found) if (isWanted(candidate.target, candidate.ports.https)) yield candidate;
      continue;
    }
    const { network, tls, limits, leavesLocalhostToNode } = binding;
    const key = JSON.stringify([network, tls, limits, leavesLocalhostToNode]);
    if (seen.has(key)) continue;
    seen.add(key);
    for (const { match, ports, target, settings } of table.networks[network]?.routes ?? []) {
      if (match.type !== "name" || target.type !== "address") continue;
      // A target with a port of its own doesn't need the destination's.
      const port = ports === undefined || ports.from !== ports.to ? target.port : ports.from;
      if (port === undefined || !isWanted(target, port)) continue;
      const own = { http: port, https: port };
      yield { host: match.name, ports: own, target, binding, policies: policiesFor(binding, settings) };
    }
  }
}

function* candidatesOfService(
  binding: Binding & { kind: "service" },
  routesOf: (network: number, host: string) => Route[],
): Generator<Candidate> {
  const { hosts, httpPort, httpsPort, target, type, network } = binding.service;
  if (type === "tcp") return;
  const ports = { ...(httpPort && { http: httpPort }), ...(httpsPort && { https: httpsPort }) };
  for (const host of hosts.filter(isName)) {
    if (target?.type === "address") yield { host, ports, target, binding, policies: binding };
    if (target !== undefined || network === undefined) continue;
    for (const route of routesOf(network, host)) {
      if (route.target.type !== "address") continue;
      yield { host, ports, target: route.target, binding, policies: policiesFor(binding, route.settings) };
    }
  }
}

/** @returns an empty text for a route that isn't for one name */
function nameOf({ match }: Route): string {
  return match.type === "name" ? match.name : "";
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => (made ??= make());
}

function isName(text: string): boolean {
  const host = parseHost(text);
  return !isProblem(host) && host.type === "name";
}
