/**
 * Services of a compose project → routes: each name and address with each published port. What has no route for
 * lack of a published port is reported, with what to publish.
 */

import { type Host, formatEndpoint } from "../../service-worker/address.ts";
import type { Route, RouteMatch } from "../../service-worker/table.ts";
import { matchKey } from "../model.ts";
import { formatLocation } from "../diagnostics.ts";
import { findOverlaps } from "../parse/port-ranges.ts";
import type { Place, ReportCompose } from "./compose-node.ts";
import type { ComposeService } from "./parse-compose-service.ts";
import { type ComposePort, sizeOf } from "./parse-ports.ts";

/** A route that a compose file gives, and the place of the port it comes from. */
export interface ComposeRoute extends Pick<Route, "text" | "match" | "ports"> {
  at: Place;
  serviceName: string;
  target: { type: "address"; host: string; port?: number };
}

export interface Routing {
  /** Active ones; `*` is all. */
  profiles: readonly string[];
  /** Of the user's own: they win, and a service that has one is spared what is reported of it. */
  own: readonly Pick<Route, "match" | "ports">[];
  report: ReportCompose;
}

/** Of the compose services of a network. */
const MAX_ROUTES = 20_000;
const LOCALHOST = "127.0.0.1";
/** Docker's words for every address of this machine, and one to reach it at. */
const EVERYWHERE: Record<string, string> = { "0.0.0.0": LOCALHOST, "::": "::1" };

/** Ports of well-known images, for advice. */
const IMAGE_PORTS: [image: RegExp, port: number][] = [
  [/postg(res|is)|timescale/, 5432],
  [/mysql|mariadb|percona/, 3306],
  [/redis|valkey/, 6379],
  [/mongo/, 27_017],
  [/rabbitmq/, 5672],
  [/memcached/, 11_211],
  [/elasticsearch|opensearch/, 9200],
  [/nginx|httpd|caddy|traefik/, 80],
];
/** The connector of a tunnel: it listens for nobody. */
const CONNECTOR = /(^|\/)cloudflared(:|@|$)/;

export function toRoutes(services: readonly ComposeService[], routing: Routing): ComposeRoute[] {
  const isActive = ({ profiles }: ComposeService): boolean =>
    profiles.length === 0 ||
    routing.profiles.includes("*") ||
    profiles.some((profile) => routing.profiles.includes(profile));
  reportInactive(
    services.filter((service) => !isActive(service)),
    routing,
  );
  let left = MAX_ROUTES;
  const routes = services.filter(isActive).flatMap((service) => {
    const count = countRoutes(service);
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

/** Whether the user's own route stands for all of a compose file's, or for a part of it that can't be cut out. */
function takesOver(own: Pick<Route, "ports">, { ports }: ComposeRoute): boolean {
  if (own.ports === undefined || ports === undefined) return own.ports === undefined;
  const isApart = own.ports.to < ports.from || own.ports.from > ports.to;
  // A narrower one wins anyway.
  const isInside = own.ports.from >= ports.from && own.ports.to <= ports.to && sizeOf(own.ports) < sizeOf(ports);
  return !isApart && !isInside;
}

function routesOf(service: ComposeService, routing: Routing): ComposeRoute[] {
  const { serviceName, hosts, at } = service;
  switch (service.network) {
    case "shared":
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
      const isOwn = routing.own.some(({ match }) => hosts.some((host) => matchKey(match) === matchKey(matchOf(host))));
      if (!isOwn) reportUnreachable(service, routing.report);
      const published = service.ports.filter(isPublished);
      return hosts.flatMap((host) => published.flatMap((port) => routesTo(host, port, serviceName)));
    }
    default:
      return service.network satisfies never;
  }
}

/** At most, for none has been made yet. */
function countRoutes({ hosts, ports }: ComposeService): number {
  return (
    ports.filter(isPublished).reduce((sum, port) => sum + (isSame(port) ? 1 : sizeOf(port.target)), 0) * hosts.length
  );
}

function reportTooMany({ serviceName, at }: ComposeService, report: ReportCompose): [] {
  report({
    code: "compose-too-large",
    text: `with the service ${JSON.stringify(serviceName)} there are more than ${MAX_ROUTES} routes`,
    at,
    notes: ['Publish many ports as one range, and under the same numbers: "8000-8999:8000-8999" is one route.'],
  });
  return [];
}

type PublishedPort = ComposePort & Required<Pick<ComposePort, "published">>;

/** Whether it is known where the port is on this machine. */
function isPublished(port: ComposePort): port is PublishedPort {
  return port.protocol === "tcp" && port.published !== undefined && sizeOf(port.published) === sizeOf(port.target);
}

/** Whether the numbers on this machine are those in the container. */
function isSame({ target, published }: PublishedPort): boolean {
  return target.from === published.from;
}

function routesTo(host: Host, port: PublishedPort, serviceName: string): ComposeRoute[] {
  const { at, target, published, hostAddress } = port;
  const address = EVERYWHERE[hostAddress ?? "0.0.0.0"] ?? hostAddress ?? LOCALHOST;
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

function matchOf(host: Host): RouteMatch {
  if (host.type === "name") return { type: "name", name: host.text };
  return { type: "cidr", address: host.text, prefix: host.version === 4 ? 32 : 128 };
}

/** Of two routes for one destination the first is kept. */
function withoutConflicts(routes: readonly ComposeRoute[], report: ReportCompose): ComposeRoute[] {
  const dropped = new Set<ComposeRoute>();
  for (const same of Map.groupBy(routes, ({ match }) => matchKey(match)).values()) {
    let left = same;
    for (let overlaps = findOverlaps(left); overlaps.length > 0; overlaps = findOverlaps(left)) {
      for (const { earlier, later } of overlaps) {
        if (dropped.has(later)) continue;
        dropped.add(later);
        // Docker would publish one port twice.
        if (earlier.serviceName === later.serviceName) continue;
        report({
          severity: "warning",
          code: "compose-conflict",
          text: `${JSON.stringify(later.text)} of the service ${JSON.stringify(later.serviceName)} leads to ${JSON.stringify(earlier.serviceName)} already, by ${formatLocation(earlier.at)}`,
          at: later.at,
          notes: [`Give "routes" of the network a ${JSON.stringify(later.text)} of its own to choose.`],
        });
      }
      left = left.filter((route) => !dropped.has(route));
    }
  }
  return routes.filter((route) => !dropped.has(route));
}

function reportInactive(inactive: readonly ComposeService[], { own, report }: Routing): void {
  const missed = inactive.filter(
    ({ hosts }) => !own.some(({ match }) => hosts.some((host) => matchKey(match) === matchKey(matchOf(host)))),
  );
  const [first] = missed;
  if (first === undefined) return;
  const names = missed.map(({ serviceName, profiles }) => `${JSON.stringify(serviceName)} (${profiles.join(", ")})`);
  report({
    severity: "warning",
    code: "compose-profile",
    text: `no profile is active of ${names.join(", ")}, so ${missed.length > 1 ? "they have" : "it has"} no routes`,
    at: first.at,
    notes: [
      `Set COMPOSE_PROFILES=${first.profiles[0] ?? ""} in .env beside the compose file, or in the environment, for Docker Compose and here alike.`,
    ],
  });
}

/** What of a service nobody can reach from this machine, and how to publish it. */
function reportUnreachable(
  { serviceName, at, ports, isPublishing, exposed, image }: ComposeService,
  report: ReportCompose,
): void {
  const service = `the service ${JSON.stringify(serviceName)}`;
  const tcp = ports.filter(({ protocol }) => protocol === "tcp");
  if (!isPublishing && !CONNECTOR.test(image)) {
    const known =
      exposed.length > 0
        ? exposed
        : IMAGE_PORTS.flatMap(([name, port]) => (name.test(image) ? [port] : [])).slice(0, 1);
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
      const isAlsoTcp = tcp.some((other) => other.target.from <= target.from && other.target.to >= target.to);
      if (isAlsoTcp) continue;
      report({
        severity: "warning",
        code: "compose-protocol",
        text: `${service} publishes ${JSON.stringify(text)}, but a VPC binding speaks TCP only`,
        at: port.at,
        notes: ["If the service also listens on TCP, publish that port too."],
      });
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
