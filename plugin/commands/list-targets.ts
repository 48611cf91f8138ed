/**
 * What a table leads to that can be dialled: addresses and Unix sockets, each once. A Worker, a function and a
 * `deny` are none; neither is a target whose host or port is only known from a request.
 */

import { formatEndpoint } from "../../service-worker/address.ts";
import { decide } from "../../service-worker/decide.ts";
import { type ForwardTarget, formatTarget } from "../../service-worker/forward-target.ts";
import { indexTable } from "../../service-worker/route-index.ts";
import type {
  Limits,
  Network,
  Route,
  RoutingTable,
  Scheme,
  ServiceBinding,
  TlsPolicy,
} from "../../service-worker/table.ts";

export type DialableTarget = ForwardTarget & { type: "address" | "unix" };

export interface ListedTarget {
  to: DialableTarget;
  /** What it is asked in; absent: any of `http:`, `https:` and plain TCP. */
  scheme?: Scheme;
  /** What a Host header and a certificate would say. */
  hostName: string;
  tls: TlsPolicy;
  limits: Limits;
  /** Of the services and routes that lead to it. */
  origins: string[];
}

type Found = Omit<ListedTarget, "origins"> & { origin: string };

/** @param tables of one project, one for each environment */
export function listTargets(tables: readonly RoutingTable[]): ListedTarget[] {
  const listed = new Map<string, ListedTarget>();
  const found = tables.flatMap((table) => [...targetsOf(table)]);
  // One whose scheme is known tells more; it speaks for one where it is not.
  for (const { origin, ...target } of found.toSorted((a, b) => rank(a) - rank(b))) {
    const address = addressOf(target.to);
    const keys = target.scheme === undefined ? ["http", "https", ""] : [target.scheme];
    const key =
      keys.map((scheme) => `${scheme} ${address}`).find((each) => listed.has(each)) ?? `${keys.at(-1)} ${address}`;
    const known = listed.get(key);
    if (known === undefined) listed.set(key, { ...target, origins: [origin] });
    else if (!known.origins.includes(origin)) known.origins.push(origin);
  }
  return [...listed.values()];
}

function addressOf(to: DialableTarget): string {
  return to.type === "address" ? formatEndpoint(to.host, to.port) : formatTarget(to);
}

function rank({ scheme }: Found): number {
  return scheme === undefined ? 1 : 0;
}

function* targetsOf(table: RoutingTable): Generator<Found> {
  const index = indexTable(table);
  const policies = new Map<Network, Pick<Found, "tls" | "limits">>();
  for (const [key, binding] of Object.entries(table.bindings)) {
    if (binding.kind === "unlinked") continue;
    const { tls, limits } = binding;
    const position = binding.kind === "network" ? binding.network : binding.service.network;
    const network = position === undefined ? undefined : table.networks[position];
    // Of a network that is bound itself, its own policy counts; of another, that of a service in it.
    if (network !== undefined && (binding.kind === "network" || !policies.has(network)))
      policies.set(network, { tls, limits });
    if (binding.kind === "service") yield* targetsOfService(binding, (asked) => decide(index, key, asked));
  }
  for (const [network, policy] of policies) {
    for (const route of network.routes) {
      const to = targetOfRoute(route);
      if (to === undefined) continue;
      yield { to, ...schemeOf(to), hostName: hostNameOf(route, to), ...policy, origin: route.origin };
    }
  }
}

function* targetsOfService(
  { service, tls, limits }: ServiceBinding,
  ask: (asked: Parameters<typeof decide>[2]) => ReturnType<typeof decide>,
): Generator<Found> {
  const host = service.hosts[0] ?? "localhost";
  const schemes = (["http", "https", "tcp"] as const).filter((scheme) => portFor(service, scheme) !== undefined);
  const answers = schemes.flatMap((scheme) => {
    const decision = ask({ scheme, host, port: 1 });
    if (decision.type === "refuse" || !isDialable(decision.to)) return [];
    return [{ to: decision.to, scheme: decision.to.type === "address" ? (decision.to.scheme ?? scheme) : scheme }];
  });
  for (const same of Map.groupBy(answers, ({ to }) => formatTarget(to)).values()) {
    const [first] = same;
    if (first === undefined) continue;
    const spoken = new Set(same.map(({ scheme }) => scheme));
    const [scheme] = spoken.size === 1 ? spoken : [];
    const hostName = service.hosts[0] ?? (first.to.type === "address" ? first.to.host : "localhost");
    const known = scheme === undefined || scheme === "tcp" ? {} : { scheme };
    yield { to: first.to, ...known, hostName, tls, limits, origin: service.origin };
  }
}

function portFor(
  { httpPort, httpsPort, tcpPort }: ServiceBinding["service"],
  scheme: Scheme | "tcp",
): number | undefined {
  return { http: httpPort, https: httpsPort, tcp: tcpPort }[scheme];
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
    case "deny":
      return undefined;
    default:
      return target satisfies never;
  }
}

function exactHost(match: Route["match"]): string | undefined {
  if (match.type === "name") return match.name;
  if (match.type === "wildcard") return undefined;
  return match.prefix === (match.address.includes(":") ? 128 : 32) ? match.address : undefined;
}

function schemeOf(to: DialableTarget): { scheme?: Scheme } {
  return to.type === "address" && to.scheme !== undefined ? { scheme: to.scheme } : {};
}

function hostNameOf({ match }: Route, to: DialableTarget): string {
  return exactHost(match) ?? (to.type === "address" ? to.host : "localhost");
}
