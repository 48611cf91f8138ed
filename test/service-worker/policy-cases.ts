/** The TLS policy and the limits that a call gets from its binding and its route, and which way it travels because of them. */

import { type Decision, decide } from "../../service-worker/routing/decide.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import type { Policies } from "../../service-worker/routing/route-settings.ts";
import {
  type Binding,
  type Route,
  type RouteSettings,
  type Service,
  TABLE_VERSION,
  type Target,
} from "../../service-worker/routing/table.ts";
import { destinationOf, httpWayOf, tcpWayOf } from "../../service-worker/routing/transport.ts";
import type { Case } from "../setup/case.ts";

const LIMITS = { connectTimeout: 5000, dnsTimeout: 5000, workerLimit: 256 };
const OF_NETWORK: Policies = { tls: { verify: "verify_full", ca: ["network.pem"] }, limits: LIMITS };
const OF_SERVICE: Policies = {
  tls: { verify: "verify_ca", ca: ["service.pem"] },
  limits: { ...LIMITS, readTimeout: 7, rateLimit: { limit: 1, period: 60 } },
};
const TARGET: Target = { type: "address", host: "127.0.0.1", port: 3001 };

/** @param text a name, or a name and a port */
function route(text: string, settings?: RouteSettings, target = TARGET): Route {
  const [name = "", port] = text.split(":");
  return {
    text,
    match: { type: "name", name },
    ...(port !== undefined && { ports: { from: Number(port), to: Number(port) } }),
    target,
    ...(settings && { settings }),
    origin: "vpc.jsonc:1:1",
  };
}

const routes = [
  route("plain.internal"),
  route("mode.internal", { verify: "disabled" }),
  route("roots.internal", { ca: ["route.pem", "network.pem"] }),
  route("limits.internal", { limits: { connectTimeout: 1, readTimeout: 2, connectionLimit: 4 } }),
  route("dns.internal", { limits: { dnsTimeout: 1 } }),
  route("all.internal", { verify: "verify_full", ca: ["route.pem"], limits: { workerLimit: 1 } }),
  route("port.internal:8443", { verify: "verify_ca" }),
  route("port.internal"),
  route("worker.internal", { limits: { workerLimit: 1 } }, { type: "worker", workerName: "stand-in" }),
  route("unix.internal", { verify: "disabled" }, { type: "unix", path: "/run/app.sock" }),
];

const base = { workerName: "app", configFile: "vpc.jsonc", traffic: false };

function service(bindingName: string, fields: Partial<Service>): Binding {
  const record: Service = { type: "http", label: bindingName, origin: "vpc.jsonc:2:2", hosts: [], ...fields };
  const names = { bindingName, label: bindingName, serviceId: bindingName };
  return { ...base, ...OF_SERVICE, ...names, kind: "service", service: record };
}

const index = indexTable({
  version: TABLE_VERSION,
  generation: 1,
  networks: [{ networkId: "net", origin: "vpc.jsonc:9:9", routes }],
  bindings: {
    "app/NET": {
      ...base,
      ...OF_NETWORK,
      bindingName: "NET",
      label: "NET",
      kind: "network",
      networkId: "net",
      network: 0,
    },
    "app/ROUTED": service("ROUTED", { httpsPort: 443, hosts: ["all.internal"], network: 0 }),
    "app/OTHER": service("OTHER", { httpsPort: 443, hosts: ["plain.internal"], network: 0 }),
    "app/DIRECT": service("DIRECT", { httpsPort: 443, target: TARGET }),
  },
});

function ask(binding: string, asked: string): Decision {
  const [host = "", port] = asked.split(":");
  const destination = asked.includes("//")
    ? destinationOf(new URL(asked))
    : { scheme: "tcp" as const, host, port: Number(port) };
  return decide(index, `app/${binding}`, destination);
}

const policies: [binding: string, url: string, expected: Policies][] = [
  ["NET", "https://plain.internal/", OF_NETWORK],
  ["NET", "https://mode.internal/", { limits: LIMITS, tls: { verify: "disabled", ca: ["network.pem"] } }],
  [
    "NET",
    "https://roots.internal/",
    { limits: LIMITS, tls: { verify: "verify_full", ca: ["network.pem", "route.pem"] } },
  ],
  [
    "NET",
    "https://limits.internal/",
    { tls: OF_NETWORK.tls, limits: { ...LIMITS, connectTimeout: 1, readTimeout: 2, connectionLimit: 4 } },
  ],
  // The settings are those of the route that wins, not of its host.
  ["NET", "https://port.internal:8443/", { limits: LIMITS, tls: { verify: "verify_ca", ca: ["network.pem"] } }],
  ["NET", "https://port.internal/", OF_NETWORK],
  // A route overrides the service that takes it, in what it sets. Both have roots.
  [
    "ROUTED",
    "https://x/",
    {
      tls: { verify: "verify_full", ca: ["service.pem", "route.pem"] },
      limits: { ...OF_SERVICE.limits, workerLimit: 1 },
    },
  ],
  ["OTHER", "https://x/", OF_SERVICE],
  ["DIRECT", "https://x/", OF_SERVICE],
];

const DIRECT = "http:127.0.0.1:3001";
const ORIGIN = { verify: "disabled", ca: ["network.pem"] };

/** What the service worker does with a call. `direct`: workerd's own client may be used. */
const ways: [asked: string, way: unknown][] = [
  ["http://plain.internal/", { type: "http", direct: DIRECT, limits: LIMITS }],
  ["http://mode.internal/", { type: "http", direct: DIRECT, limits: LIMITS }],
  ["http://dns.internal/", { type: "http", direct: DIRECT, limits: { ...LIMITS, dnsTimeout: 1 } }],
  // workerd's own client has neither of these limits.
  [
    "http://limits.internal/",
    { type: "http", limits: { ...LIMITS, connectTimeout: 1, readTimeout: 2, connectionLimit: 4 } },
  ],
  ["https://mode.internal/", { type: "http", limits: LIMITS, tls: { ...ORIGIN, hostName: "mode.internal" } }],
  ["https://unix.internal/", { type: "http", limits: LIMITS, tls: { ...ORIGIN, hostName: "unix.internal" } }],
  ["http://worker.internal/", { type: "worker" }],
  ["mode.internal:5432", { type: "sockets" }],
  // Connections are counted in the egress proxy.
  ["limits.internal:5432", { type: "egress" }],
];

function wayOf(decision: Decision, asked: string): unknown {
  if (decision.type === "refuse") return decision.code;
  if (!asked.includes("//")) return { type: tcpWayOf(decision).type };
  const way = httpWayOf(new URL(asked), decision);
  if (way.type === "worker") return { type: way.type };
  const { limits, tls } = way.order;
  return { type: way.type, limits, ...(tls && { tls }), ...(way.direct && { direct: way.direct }) };
}

export const policyCases: Case[] = [
  ...policies.map(([binding, url, expected]) => ({
    title: `${binding} ${url}: its TLS policy and limits`,
    actual: () => {
      const decision = ask(binding, url);
      return decision.type === "forward" ? { tls: decision.tls, limits: decision.limits } : decision.code;
    },
    expected,
  })),
  ...ways.map(([asked, expected]) => ({
    title: `NET ${asked}: its way`,
    actual: () => wayOf(ask("NET", asked), asked),
    expected,
  })),
  {
    title: "a route without settings leaves the policies of the binding as they are, uncopied",
    actual: () => {
      const decision = ask("NET", "https://plain.internal/");
      return (
        decision.type === "forward" &&
        decision.tls === decision.binding.tls &&
        decision.limits === decision.binding.limits
      );
    },
    expected: true,
  },
];
