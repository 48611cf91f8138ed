/**
 * Services of a compose project → routes: one for each name or address with each published port, or from inside of their
 * network. Reports each service that has no route because it publishes no port, and says what to publish.
 */

import { type Host, formatEndpoint } from "../../service-worker/routing/address.ts";
import type { Route } from "../../service-worker/routing/table.ts";
import { matchKey } from "../../service-worker/routing/table.ts";
import { formatLocation } from "../diagnostics.ts";
import { toLoopback } from "../parse/parse-target.ts";
import { findOverlaps } from "../parse/port-ranges.ts";
import { SCHEME_PORTS } from "../parse/scheme-ports.ts";
import type { ReportCompose } from "./compose-node.ts";
import { type ComposeRoute, matchOf } from "./compose-route.ts";
import type { ComposeService } from "./parse-compose-service.ts";
import { type ComposePort, sizeOf } from "./parse-ports.ts";
import { toNetworkRoutes } from "./to-network-routes.ts";

export interface Routing {
  /** The active profiles. `*` means all of them. */
  profiles: readonly string[];
  /** The user's own routes. They win, and a missing port or profile of a service that has one is not reported. */
  own: readonly Pick<Route, "match" | "ports">[];
  /** Services that are reached from inside of their network. */
  inside: ReadonlySet<ComposeService>;
  /** Services whose names don't resolve in this container, which is reported already. */
  unresolved: ReadonlySet<ComposeService>;
  report: ReportCompose;
}

/** The limit for the compose routes of a network. */
const MAX_ROUTES = 20_000;
const LOCALHOST = "127.0.0.1";

/** Ports of well-known images, for the notes. */
const IMAGE_PORTS: [image: RegExp, port: number][] = [
  [/postg(res|is)|timescale/, SCHEME_PORTS.postgres],
  [/mysql|mariadb|percona/, SCHEME_PORTS.mysql],
  [/redis|valkey/, SCHEME_PORTS.redis],
  [/mongo/, SCHEME_PORTS.mongodb],
  [/rabbitmq/, SCHEME_PORTS.amqp],
  [/memcached/, SCHEME_PORTS.memcached],
  [/elasticsearch|opensearch/, 9200],
  [/nginx|httpd|caddy|traefik/, 80],
];
/** The connector of a tunnel: it has no port to publish. */
const CONNECTOR = /(^|\/)cloudflared(:|@|$)/;

export function toRoutes(services: readonly ComposeService[], routing: Routing): ComposeRoute[] {
  const active = services.filter((service) => isActive(service, routing.profiles));
  reportInactive(
    services.filter((service) => !active.includes(service)),
    routing,
  );
  let left = MAX_ROUTES;
  const routes = active.flatMap((service) => {
    const count = countRoutes(service, routing.inside);
    if (count > left) return reportTooMany(service, routing.report);
    left -= count;
    return routesOf(service, routing);
  });
  const ownByMatch = Map.groupBy(routing.own, ({ match }) => matchKey(match));
  return withoutConflicts(
    routes.filter((route) => !(ownByMatch.get(matchKey(route.match)) ?? []).some((own) => takesOver(own, route))),
    routing.report,
  );
}

export function isActive({ profiles }: ComposeService, chosen: readonly string[]): boolean {
  return profiles.length === 0 || chosen.includes("*") || profiles.some((profile) => chosen.includes(profile));
}

/** Whether the user's own route covers the whole compose route, or a part of it that can't be cut out. */
function takesOver(own: Pick<Route, "ports">, { ports }: ComposeRoute): boolean {
  if (own.ports === undefined || ports === undefined) return own.ports === undefined;
  const isApart = own.ports.to < ports.from || own.ports.from > ports.to;
  // A narrower route wins anyway.
  const isInside = own.ports.from >= ports.from && own.ports.to <= ports.to && sizeOf(own.ports) < sizeOf(ports);
  return !isApart && !isInside;
}

function routesOf(service: ComposeService, routing: Routing): ComposeRoute[] {
  const { serviceName, hosts, at } = service;
  if (routing.inside.has(service)) {
    if (!hasOwn(service, routing)) reportOtherProtocols(service, routing.report);
    return toNetworkRoutes(service, routing.report);
  }
  switch (service.network) {
    case "unnamed":
      return [];
    case "host":
      return hosts.map((host) => ({
        text: host.text,
        match: matchOf(host),
        at,
        serviceName,
        target: { type: "address", host: LOCALHOST },
      }));
    case "own": {
      if (routing.unresolved.has(service)) reportOtherProtocols(service, routing.report);
      else if (!hasOwn(service, routing)) reportUnreachable(service, routing.report);
      const published = service.ports.filter(isPublished);
      return hosts.flatMap((host) => published.flatMap((port) => routesTo(host, port, serviceName)));
    }
    default:
      return service.network satisfies never;
  }
}

/** Whether the user has a route of their own for it, with any port. */
export function hasOwn({ hosts }: ComposeService, { own }: Pick<Routing, "own">): boolean {
  return own.some(({ match }) => hosts.some((host) => matchKey(match) === matchKey(matchOf(host))));
}

/** An upper bound, computed before any route is made. */
function countRoutes(service: ComposeService, inside: Routing["inside"]): number {
  const { hosts, ports, exposed } = service;
  const each = inside.has(service)
    ? Math.max(1, ports.length + exposed.length)
    : ports.filter(isPublished).reduce((sum, port) => sum + (isSame(port) ? 1 : sizeOf(port.target)), 0);
  return each * hosts.length;
}

function reportTooMany({ serviceName, at }: ComposeService, report: ReportCompose): [] {
  report({
    code: "compose-too-large",
    text: `the service ${JSON.stringify(serviceName)} takes the network over ${MAX_ROUTES} routes`,
    at,
    notes: ['Publish many ports as one range with the same numbers on both sides: "8000-8999:8000-8999" is one route.'],
  });
  return [];
}

type PublishedPort = ComposePort & Required<Pick<ComposePort, "published">>;

/** Whether the port on this machine is known. */
function isPublished(port: ComposePort): port is PublishedPort {
  return port.protocol === "tcp" && port.published !== undefined && sizeOf(port.published) === sizeOf(port.target);
}

/** Whether the port numbers on this machine and in the container are the same. */
function isSame({ target, published }: PublishedPort): boolean {
  return target.from === published.from;
}

function routesTo(host: Host, port: PublishedPort, serviceName: string): ComposeRoute[] {
  const { at, target, published, hostAddress } = port;
  const address = toLoopback(hostAddress ?? LOCALHOST);
  const base = { match: matchOf(host), at, serviceName };
  if (isSame(port) && target.from !== target.to) {
    const text = `${formatEndpoint(host.text, target.from)}-${target.to}`;
    return [{ ...base, text, ports: target, target: { type: "address", host: address } }];
  }
  return Array.from({ length: sizeOf(target) }, (_, index) => {
    const from = target.from + index;
    const route: ComposeRoute = {
      ...base,
      text: formatEndpoint(host.text, from),
      ports: { from, to: from },
      target: { type: "address", host: address, port: published.from + index },
    };
    return route;
  });
}

/** If two routes have the same destination, the first one wins. */
function withoutConflicts(routes: readonly ComposeRoute[], report: ReportCompose): ComposeRoute[] {
  const dropped = new Set<ComposeRoute>();
  for (const same of Map.groupBy(routes, ({ match }) => matchKey(match)).values()) {
    let left = same;
    for (let overlaps = findOverlaps(left); overlaps.length > 0; overlaps = findOverlaps(left)) {
      for (const { earlier, later } of overlaps) {
        if (dropped.has(later)) continue;
        dropped.add(later);
        // One service that publishes a port twice isn't a conflict.
        if (earlier.serviceName === later.serviceName) continue;
        report({
          severity: "warning",
          code: "compose-conflict",
          text: `${JSON.stringify(later.text)} of the service ${JSON.stringify(later.serviceName)} already leads to the service ${JSON.stringify(earlier.serviceName)} (${formatLocation(earlier.at)})`,
          at: later.at,
          notes: [`To choose, add ${JSON.stringify(later.text)} to "routes" of the network.`],
        });
      }
      left = left.filter((route) => !dropped.has(route));
    }
  }
  return routes.filter((route) => !dropped.has(route));
}

function reportInactive(inactive: readonly ComposeService[], { own, report }: Routing): void {
  const missed = inactive.filter((service) => !hasOwn(service, { own }));
  const [first] = missed;
  if (first === undefined) return;
  const names = missed.map(({ serviceName, profiles }) => `${JSON.stringify(serviceName)} (${profiles.join(", ")})`);
  report({
    severity: "warning",
    code: "compose-profile",
    text: `no active profile for ${names.join(", ")}, so ${missed.length > 1 ? "they have" : "it has"} no routes`,
    at: first.at,
    notes: [
      `Set COMPOSE_PROFILES=${first.profiles[0] ?? ""} in .env beside the compose file, or in the environment. Docker Compose reads it too.`,
    ],
  });
}

/** Reports the ports of a service that this machine can't reach, and how to publish them. */
function reportUnreachable(
  { serviceName, at, ports, isPublishing, exposed, image }: ComposeService,
  report: ReportCompose,
): void {
  const service = `the service ${JSON.stringify(serviceName)}`;
  if (!isPublishing && !CONNECTOR.test(image)) {
    const single = exposed.filter(({ from, to }) => from === to).map(({ from }) => from);
    const known =
      single.length > 0 ? single : IMAGE_PORTS.flatMap(([name, port]) => (name.test(image) ? [port] : [])).slice(0, 1);
    const entries = known.map((port) => JSON.stringify(`127.0.0.1:${port}:${port}`)).join(", ");
    report({
      severity: "warning",
      code: "compose-unpublished",
      text: `${service} publishes no port, so no route leads to it`,
      at,
      notes: [
        entries === ""
          ? 'Add ports: ["127.0.0.1:8080:8080"] to it, with the port that it listens on.'
          : `Add ports: [${entries}] to it.`,
      ],
    });
  }
  for (const port of ports) {
    const { text, target, published, protocol } = port;
    if (isPublished(port)) continue;
    if (protocol !== "tcp") {
      reportOtherProtocol(port, { serviceName, ports, report });
      continue;
    }
    const inside = target.from === target.to ? `${target.from}` : `${target.from}-${target.to}`;
    report({
      severity: "warning",
      code: "compose-random-port",
      text:
        published === undefined
          ? `${service} publishes ${JSON.stringify(text)} on a port that Docker chooses, so no route leads to it`
          : `${service} publishes ${JSON.stringify(text)} on one of ${sizeOf(published)} ports, so no route leads to it`,
      at: port.at,
      notes: [`Write "127.0.0.1:${published === undefined ? inside : published.from}:${inside}".`],
    });
  }
}

function reportOtherProtocols({ serviceName, ports }: ComposeService, report: ReportCompose): void {
  for (const port of ports) if (port.protocol !== "tcp") reportOtherProtocol(port, { serviceName, ports, report });
}

function reportOtherProtocol(
  { text, target, at }: ComposePort,
  { serviceName, ports, report }: Pick<ComposeService, "serviceName" | "ports"> & Pick<Routing, "report">,
): void {
  const isAlsoTcp = ports.some(
    (other) => other.protocol === "tcp" && other.target.from <= target.from && other.target.to >= target.to,
  );
  if (isAlsoTcp) return;
  report({
    severity: "warning",
    code: "compose-protocol",
    text: `the service ${JSON.stringify(serviceName)} publishes ${JSON.stringify(text)}, but a VPC binding speaks TCP only`,
    at,
    notes: ["If the service also listens on TCP, publish that port too."],
  });
}
