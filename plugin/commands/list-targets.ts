/**
 * Lists the targets of a table that can be dialled: addresses and Unix sockets, each once, or once for each way of
 * checking its certificate. A Worker, a function, a
 * stand-in and a `deny` can't be dialled, nor can a target whose host or port depends on the request.
 */

import { formatEndpoint } from "../../service-worker/routing/address.ts";
import { decide } from "../../service-worker/routing/decide.ts";
import { type ForwardTarget, formatTarget } from "../../service-worker/routing/forward-target.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import { type Policies, policiesFor } from "../../service-worker/routing/route-settings.ts";
import {
  type Network,
  type Route,
  type RoutingTable,
  type Scheme,
  type ServiceBinding,
  type TlsPolicy,
  portOf,
} from "../../service-worker/routing/table.ts";

export type DialableTarget = ForwardTarget & { type: "address" | "unix" };

/** Its policies are those of the first service or route that leads to it. */
export interface ListedTarget extends Policies {
  to: DialableTarget;
  /** The protocol that it is known to speak. Absent: it can be `http:`, `https:` or plain TCP. */
  scheme?: Scheme;
  /** The name for the Host header and the certificate. */
  hostName: string;
  /** The places of the services and routes that lead to it. */
  origins: string[];
}

type Found = Omit<ListedTarget, "origins"> & { origin: string };

/** @param tables the tables of one project, one for each environment */
export function listTargets(tables: readonly RoutingTable[]): ListedTarget[] {
  /** By address. */
  const listed = new Map<string, ListedTarget[]>();
  const found = tables.flatMap((table) => [...targetsOf(table)]);
  // Targets with a known scheme come first, because probing them shows more.
  for (const { origin, ...target } of found.toSorted((a, b) => rank(a) - rank(b))) {
    const address = addressOf(target.to);
    const there = listed.get(address) ?? [];
    listed.set(address, there);
    const known = there.find((other) => isProbedBy(other, target));
    if (known === undefined) there.push({ ...target, origins: [origin] });
    else if (!known.origins.includes(origin)) known.origins.push(origin);
  }
  return [...listed.values()].flat();
}

/** Whether the probe of another target at the same address asks in the same way: for the same host, and with the same certificates. */
function isProbedBy(other: ListedTarget, { scheme, hostName, tls }: Omit<Found, "origin">): boolean {
  if (other.scheme !== scheme) return false;
  if (scheme === undefined) return true;
  return other.hostName === hostName && (scheme === "http" || JSON.stringify(other.tls) === JSON.stringify(tls));
}

function addressOf(to: DialableTarget): string {
  return to.type === "address" ? formatEndpoint(to.host, to.port) : formatTarget(to);
}

function rank({ scheme }: Found): number {
  return scheme === undefined ? 1 : 0;
}

function* targetsOf(table: RoutingTable): Generator<Found> {
  const index = indexTable(table);
  const policies = new Map<Network, Policies>();
  for (const [key, binding] of Object.entries(table.bindings)) {
    if (binding.kind === "unlinked") continue;
    const { tls, limits } = binding;
    const position = binding.kind === "network" ? binding.network : binding.service.network;
    const network = position === undefined ? undefined : table.networks[position];
    // A network with a binding has its own policy; another network gets the policy of a service in it.
    if (network !== undefined && (binding.kind === "network" || !policies.has(network)))
      policies.set(network, { tls, limits });
    if (binding.kind === "service") yield* targetsOfService(binding, (asked) => decide(index, key, asked));
  }
  for (const [network, policy] of policies) {
    for (const route of network.routes) {
      const to = targetOfRoute(route);
      if (to === undefined) continue;
      const { tls, limits } = policiesFor(policy, route.settings);
      yield { to, ...schemeOf(to), hostName: hostNameOf(route, to), tls, limits, origin: route.origin };
    }
  }
}

function* targetsOfService(
  { service }: ServiceBinding,
  ask: (asked: Parameters<typeof decide>[2]) => ReturnType<typeof decide>,
): Generator<Found> {
  const host = service.hosts[0] ?? "localhost";
  const schemes = (["http", "https", "tcp"] as const).filter((scheme) => portOf(service, scheme) !== undefined);
  const answers = schemes.flatMap((scheme) => {
    const decision = ask({ scheme, host, port: 1 });
    if (decision.type === "refuse" || !isDialable(decision.to)) return [];
    const { to, tls, limits } = decision;
    return [{ to, tls, limits, scheme: to.type === "address" ? (to.scheme ?? scheme) : scheme }];
  });
  for (const same of Map.groupBy(answers, ({ to }) => formatTarget(to)).values()) {
    const [first] = same;
    if (first === undefined) continue;
    const spoken = new Set(same.map(({ scheme }) => scheme));
    const { to, tls, limits } = first;
    const [scheme] = spoken.size === 1 ? spoken : needsTls(tls) && spoken.has("https") ? ["https" as const] : [];
    const hostName = service.hosts[0] ?? (to.type === "address" ? to.host : "localhost");
    const known = scheme === undefined || scheme === "tcp" ? {} : { scheme };
    yield { to, ...known, hostName, tls, limits, origin: service.origin };
  }
}

/** Whether TLS is what matters at a target that may speak plain HTTP, too. */
function needsTls({ verify, authority, client }: TlsPolicy): boolean {
  return verify !== "verify_full" || authority !== undefined || client !== undefined;
}

function isDialable(to: ForwardTarget): to is DialableTarget {
  return to.type === "address" || to.type === "unix";
}

function targetOfRoute({ match, ports, target }: Route): DialableTarget | undefined {
  const port = ports !== undefined && ports.from === ports.to ? ports.from : undefined;
  switch (target.type) {
    case "unix":
      return target;
    case "address": {
      const known = target.port ?? port;
      return known === undefined ? undefined : { ...target, port: known };
    }
    case "passthrough": {
      const host = exactHost(match);
      return host === undefined || port === undefined ? undefined : { ...target, type: "address", host, port };
    }
    case "worker":
    case "function":
    case "stand-in":
    case "deny":
      return undefined;
    default:
      return target satisfies never;
  }
}

function exactHost(match: Route["match"]): string | undefined {
  if (match.type === "name") return match.name;
  if (match.type === "wildcard" || match.type === "any") return undefined;
  return match.prefix === (match.address.includes(":") ? 128 : 32) ? match.address : undefined;
}

function schemeOf(to: DialableTarget): { scheme?: Scheme } {
  return to.type === "address" && to.scheme !== undefined ? { scheme: to.scheme } : {};
}

function hostNameOf({ match }: Route, to: DialableTarget): string {
  return exactHost(match) ?? (to.type === "address" ? to.host : "localhost");
}
