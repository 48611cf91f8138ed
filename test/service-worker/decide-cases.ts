/** `decide` with a table that has every kind of binding, service, route and target. */

import { type Decision, type Forward, decide } from "../../service-worker/routing/decide.ts";
import { httpWayOf, tcpWayOf } from "../../service-worker/routing/transport.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import { formatTarget } from "../../service-worker/routing/forward-target.ts";
import { PROXY_ERROR_CODES } from "../../service-worker/routing/error-codes.ts";
import {
  type Binding,
  MESH_ID,
  type Route,
  type RouteMatch,
  type RoutingTable,
  type Service,
  TABLE_VERSION,
  type Target,
  type TlsPolicy,
} from "../../service-worker/routing/table.ts";
import type { Case } from "../setup/case.ts";

const tls: TlsPolicy = { verify: "verify_full", ca: [] };
const base = {
  workerName: "app",
  configFile: "vpc.jsonc",
  tls,
  limits: { connectTimeout: 5000, dnsTimeout: 5000, workerLimit: 256 },
  traffic: true,
};

const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

function local(port?: number): Target {
  return port === undefined ? { type: "address", host: "localhost" } : { type: "address", host: "localhost", port };
}

function route(text: string, match: RouteMatch, target: Target, ports?: [number, number]): Route {
  const made = { text, match, target, origin: "vpc.jsonc:1:1" };
  return ports === undefined ? made : { ...made, ports: { from: ports[0], to: ports[1] } };
}

function name(text: string): RouteMatch {
  return { type: "name", name: text };
}

function cidr(address: string, prefix: number): RouteMatch {
  return { type: "cidr", address, prefix };
}

const routes: Route[] = [
  route("users.internal", name("users.internal"), local(3001)),
  route("users.internal:9000", name("users.internal"), local(3009), [9000, 9000]),
  route("users.internal:9000-9999", name("users.internal"), local(3010), [9000, 9999]),
  route("only-one-port.internal:5432", name("only-one-port.internal"), local(5432), [5432, 5432]),
  route("*.internal", { type: "wildcard", suffix: "internal" }, local()),
  route("*.deep.internal", { type: "wildcard", suffix: "deep.internal" }, { type: "worker", workerName: "stand-in" }),
  route("10.0.0.0/8", cidr("10.0.0.0", 8), { type: "passthrough" }),
  route("10.0.1.0/24", cidr("10.0.1.0", 24), local(1024)),
  route("10.0.1.50", cidr("10.0.1.50", 32), local(1032)),
  route("10.0.1.50:6379", cidr("10.0.1.50", 32), local(6379), [6379, 6379]),
  route("10.0.1.51:6379", cidr("10.0.1.51", 32), local(6379), [6379, 6379]),
  route("10.9.0.0/16", cidr("10.9.0.0", 16), { type: "deny", code: "destination_ip_prohibited" }),
  route("fd00::/8", cidr("fd00::", 8), local(1008)),
  route("fd00::1", cidr("fd00::1", 128), { type: "unix", path: "/run/app.sock" }),
  route(
    "0.0.0.0/0:8443",
    cidr("0.0.0.0", 0),
    { type: "address", host: "localhost", port: 8080, scheme: "http" },
    [8443, 8443],
  ),
  route("plain.test", name("plain.test"), { type: "address", host: "localhost", scheme: "http" }),
  route("loopback.test", name("loopback.test"), { type: "address", host: "127.0.0.1", port: 3001 }),
  route("function.test", name("function.test"), { type: "function", functionId: "f1" }),
  route("answered.test", name("answered.test"), { type: "stand-in", standInId: "s1", text: "respond" }),
  ...PROXY_ERROR_CODES.map((code) => route(`${code}.deny`, name(`${code}.deny`), { type: "deny", code })),
];

/** Has a route for what no other holds. */
const publicRoutes: Route[] = [
  route("*", { type: "any" }, { type: "passthrough" }),
  route("*:25", { type: "any" }, { type: "deny", code: "http_request_denied" }, [25, 25]),
  route("*:8000-8999", { type: "any" }, local(8000), [8000, 8999]),
  route("db.internal:5432", name("db.internal"), local(5432), [5432, 5432]),
  route("*.internal", { type: "wildcard", suffix: "internal" }, local(7000)),
  route("*.test:80", { type: "wildcard", suffix: "test" }, local(7080), [80, 80]),
  route("10.0.0.0/8", cidr("10.0.0.0", 8), local(1008)),
  route("10.9.0.0/16", cidr("10.9.0.0", 16), { type: "deny", code: "destination_ip_prohibited" }),
  route("[fd00::/8]:443", cidr("fd00::", 8), local(1443), [443, 443]),
];

function network(bindingName: string, networkId: string, position: number): [string, Binding] {
  const names = { bindingName, label: bindingName };
  return [`app/${bindingName}`, { ...base, ...names, kind: "network", tls, networkId, network: position }];
}

function service(bindingName: string, fields: Partial<Service>): [string, Binding] {
  const record: Service = { type: "http", label: bindingName, origin: "vpc.jsonc:2:2", hosts: [], ...fields };
  return [
    `app/${bindingName}`,
    { ...base, bindingName, label: bindingName, kind: "service", tls, serviceId: bindingName, service: record },
  ];
}

const table: RoutingTable = {
  version: TABLE_VERSION,
  generation: 1,
  networks: [
    { networkId: TUNNEL, origin: "vpc.jsonc:9:9", routes },
    { networkId: MESH_ID, origin: "vpc.jsonc:99:9", routes: publicRoutes },
    { networkId: MESH_ID, origin: "vpc.jsonc:199:9", routes: [] },
  ],
  bindings: Object.fromEntries([
    network("NET", TUNNEL, 0),
    network("PUBLIC", MESH_ID, 1),
    network("PRIVATE", MESH_ID, 2),
    [
      "app/LOST",
      {
        ...base,
        bindingName: "LOST",
        label: "LOST",
        kind: "unlinked",
        bindingType: "vpc-service",
        id: "e6a0",
      } satisfies Binding,
    ],
    [
      "app/LOST_NET",
      {
        ...base,
        bindingName: "LOST_NET",
        label: "LOST_NET",
        kind: "unlinked",
        bindingType: "vpc-network",
        id: "7f00",
      } satisfies Binding,
    ],
    service("BOTH", { type: "both", httpPort: 80, httpsPort: 443, tcpPort: 5432, target: local(5432) }),
    service("PORTLESS", { type: "both", httpPort: 80, httpsPort: 443, target: local() }),
    service("HTTP", { httpPort: 8080, hosts: ["users.internal"], network: 0 }),
    service("HTTPS", { httpsPort: 8443, hosts: ["9.9.9.9"], network: 0 }),
    service("TCP", { type: "tcp", tcpPort: 6379, hosts: ["10.0.1.50"], network: 0 }),
    service("DUAL", { httpPort: 80, hosts: ["192.168.0.1", "fd00::1"], network: 0 }),
    service("KEPT", { httpPort: 8081, hosts: ["x.test"], target: local() }),
    service("NO_NET", { httpPort: 80, hosts: ["x.test"], networkId: TUNNEL }),
    service("OPEN", { httpPort: 80, hosts: ["192.168.0.1", "10.0.0.1"], network: 1 }),
    service("DENIED", { httpPort: 80, httpsPort: 443, target: { type: "deny", code: "rate_limited" } }),
  ]),
};

const index = indexTable(table);

/** @param destination `scheme://host:port` */
function ask(binding: string, destination: string): Decision {
  const parts = /^(https?|tcp):\/\/(.*):(\d+)$/.exec(destination);
  const [, scheme, host, port] = parts ?? [];
  if (scheme !== "http" && scheme !== "https" && scheme !== "tcp") throw new Error(`bad case ${destination}`);
  return decide(index, `app/${binding}`, { scheme, host: host ?? "", port: Number(port) });
}

const forwards: [binding: string, destination: string, target: string, rule: string][] = [
  // VPC Services: the record's host and port win over those of the URL.
  ["HTTP", "http://anything.example:1234", "localhost:3001", "users.internal"],
  ["HTTP", "http://10.9.0.1:80", "localhost:3001", "users.internal"],
  ["HTTPS", "https://anything.example:1", "http://localhost:8080", "0.0.0.0/0:8443"],
  ["TCP", "tcp://anything.example:1", "localhost:6379", "10.0.1.50:6379"],
  ["BOTH", "http://x:1", "localhost:5432", "BOTH"],
  ["BOTH", "https://x:1", "localhost:5432", "BOTH"],
  ["BOTH", "tcp://x:1", "localhost:5432", "BOTH"],
  ["PORTLESS", "http://x:1", "localhost:80", "PORTLESS"],
  ["PORTLESS", "https://x:1", "localhost:443", "PORTLESS"],
  ["KEPT", "http://x:1", "localhost:8081", "KEPT"],
  ["DUAL", "http://x:1", "unix:/run/app.sock", "fd00::1"],
  // Names: exact before wildcard; a port before a range, and a range before no port.
  ["NET", "http://users.internal:80", "localhost:3001", "users.internal"],
  ["NET", "http://USERS.internal.:80", "localhost:3001", "users.internal"],
  ["NET", "http://users.internal:9000", "localhost:3009", "users.internal:9000"],
  ["NET", "http://users.internal:9001", "localhost:3010", "users.internal:9000-9999"],
  ["NET", "http://other.internal:81", "localhost:81", "*.internal"],
  ["NET", "tcp://only-one-port.internal:5432", "localhost:5432", "only-one-port.internal:5432"],
  ["NET", "tcp://only-one-port.internal:5433", "localhost:5433", "*.internal"],
  ["NET", "http://a.deep.internal:80", "worker:stand-in", "*.deep.internal"],
  ["NET", "http://function.test:80", "function", "function.test"],
  ["NET", "https://answered.test:80", "respond", "answered.test"],
  ["NET", "https://plain.test:443", "http://localhost:80", "plain.test"],
  ["NET", "http://plain.test:8080", "http://localhost:8080", "plain.test"],
  // Addresses: the longest prefix, then a port before no port, in any spelling.
  ["NET", "http://10.200.0.1:80", "10.200.0.1:80", "10.0.0.0/8"],
  ["NET", "http://10.0.1.1:80", "localhost:1024", "10.0.1.0/24"],
  ["NET", "http://10.0.1.50:80", "localhost:1032", "10.0.1.50"],
  ["NET", "tcp://10.0.1.50:6379", "localhost:6379", "10.0.1.50:6379"],
  ["NET", "tcp://10.0.1.51:80", "localhost:1024", "10.0.1.0/24"],
  ["NET", "tcp://0x0a.0.1.50:6379", "localhost:6379", "10.0.1.50:6379"],
  ["NET", "tcp://167772466:6379", "localhost:6379", "10.0.1.50:6379"],
  ["NET", "tcp://[::ffff:10.0.1.50]:6379", "localhost:6379", "10.0.1.50:6379"],
  ["NET", "http://[fd12::1]:80", "localhost:1008", "fd00::/8"],
  ["NET", "http://[fd00:0:0:0::1]:80", "unix:/run/app.sock", "fd00::1"],
  ["NET", "http://1.1.1.1:8443", "http://localhost:8080", "0.0.0.0/0:8443"],
  // What no other route holds: names, addresses, and the ports that another route leaves.
  ["PUBLIC", "https://www.example.com:443", "www.example.com:443", "*"],
  ["PUBLIC", "https://WWW.example.com.:443", "www.example.com:443", "*"],
  ["PUBLIC", "http://single:80", "single:80", "*"],
  ["PUBLIC", "http://1.1.1.1:80", "1.1.1.1:80", "*"],
  ["PUBLIC", "http://[::ffff:1.1.1.1]:80", "1.1.1.1:80", "*"],
  ["PUBLIC", "tcp://[2001:db8::1]:5432", "[2001:db8::1]:5432", "*"],
  ["PUBLIC", "http://www.example.com:8080", "localhost:8000", "*:8000-8999"],
  ["PUBLIC", "tcp://db.internal:5432", "localhost:5432", "db.internal:5432"],
  ["PUBLIC", "tcp://db.internal:25", "localhost:7000", "*.internal"],
  ["PUBLIC", "http://a.b.internal:80", "a.b.internal:80", "*"],
  ["PUBLIC", "http://internal:80", "internal:80", "*"],
  ["PUBLIC", "http://a.test:80", "localhost:7080", "*.test:80"],
  ["PUBLIC", "http://a.test:81", "a.test:81", "*"],
  ["PUBLIC", "http://10.1.1.1:25", "localhost:1008", "10.0.0.0/8"],
  ["PUBLIC", "https://[fd00::1]:443", "localhost:1443", "[fd00::/8]:443"],
  ["PUBLIC", "https://[fd00::1]:444", "[fd00::1]:444", "*"],
  // The first address of the record has a route.
  ["OPEN", "http://x:1", "192.168.0.1:80", "*"],
];

const refusals: [binding: string, destination: string, code: string, reason: RegExp, hint: RegExp][] = [
  ["NET", "http://internal:80", "destination_not_found", /matches internal:80$/, /"internal": "localhost:80"/],
  ["NET", "http://a.b.internal:80", "destination_not_found", /no route/, /vpc\.jsonc:9:9/],
  ["NET", "http://1.1.1.1:80", "destination_ip_unroutable", /no route .* 1\.1\.1\.1:80$/, /"1\.1\.1\.1"/],
  ["NET", "http://[2001:db8::1]:80", "destination_ip_unroutable", /\[2001:db8::1\]:80$/, /"2001:db8::1"/],
  ["NET", "http://10.9.1.1:80", "destination_ip_prohibited", /the vpc config denies it/, /deny/],
  ["NET", "http://[::ffff:10.9.1.1]:80", "destination_ip_prohibited", /the vpc config denies it/, /deny/],
  ["NET", "http://a..b:80", "destination_not_found", /"a\.\.b" has an empty label/, /Worker's code/],
  ["LOST", "http://x:80", "destination_not_found", /no entry for this service/, /"e6a0".*"services" in vpc\.jsonc/],
  ["LOST_NET", "tcp://x:80", "destination_not_found", /no entry for this network/, /"7f00".*"networks"/],
  ["NO_NET", "http://x:80", "destination_not_found", /550e8400.* matches x\.test:80/, /"networks" in vpc\.jsonc/],
  ["DUAL", "https://x:443", "http_request_denied", /has only "http_port"/, /Use http:/],
  ["HTTPS", "http://x:80", "http_request_denied", /has only "https_port"/, /Use https:/],
  ["TCP", "http://x:80", "http_request_denied", /tcp service/, /connect\(\)/],
  ["HTTP", "tcp://x:80", "destination_not_found", /http service without a TCP port/, /fetch\(\)/],
  ["PORTLESS", "tcp://x:80", "destination_not_found", /names no port/, /host:port/],
  ["NET", "tcp://answered.test:80", "destination_unavailable", /a stand-in, which answers fetch\(\) only/, /TCP/],
  ["DENIED", "http://x:80", "rate_limited", /the vpc config denies it/, /deny/],
  ["PUBLIC", "tcp://mail.example.com:25", "http_request_denied", /the vpc config denies it/, /deny/],
  ["PUBLIC", "tcp://[2001:db8::1]:25", "http_request_denied", /the vpc config denies it/, /deny/],
  ["PUBLIC", "http://10.9.1.1:80", "destination_ip_prohibited", /the vpc config denies it/, /deny/],
  ["PUBLIC", "http://0x0a090101:80", "destination_ip_prohibited", /the vpc config denies it/, /deny/],
  ["PUBLIC", "http://a..b:80", "destination_not_found", /"a\.\.b" has an empty label/, /Worker's code/],
  ["PRIVATE", "http://www.example.com:80", "destination_not_found", /no route/, /"\*": "passthrough"\.$/],
  ["PRIVATE", "http://1.1.1.1:80", "destination_ip_unroutable", /no route/, /"\*": "passthrough"\.$/],
  ["NET", "http://www.example.com:80", "destination_not_found", /no route/, /vpc\.jsonc:9:9\.$/],
];

/** A binding, a destination, and how its bytes travel on Linux and macOS, and on Windows. */
const ways: [binding: string, destination: string, elsewhere: string, onWindows: string][] = [
  ["NET", "http://users.internal:80", "direct", "egress"],
  ["NET", "tcp://only-one-port.internal:5432", "sockets", "egress"],
  ["BOTH", "http://x:80", "direct", "egress"],
  ["BOTH", "tcp://x:80", "sockets", "egress"],
  // A loopback address is one address.
  ["NET", "http://loopback.test:80", "direct", "direct"],
  ["NET", "tcp://loopback.test:80", "sockets", "sockets"],
  ["NET", "tcp://10.2.3.4:80", "sockets", "sockets"],
];

function wayOf(bindingName: string, destination: string, onWindows: boolean): string {
  const decision = ask(bindingName, destination);
  if (decision.type === "refuse") return decision.code;
  const { binding } = decision;
  const forward: Forward = { ...decision, binding: onWindows ? { ...binding, leavesLocalhostToNode: true } : binding };
  if (destination.startsWith("tcp:")) return tcpWayOf(forward).type;
  const way = httpWayOf(new URL(destination), forward);
  return way.type === "http" && way.direct !== undefined ? "direct" : "egress";
}

export const decideCases: Case[] = [
  ...ways.map(([binding, destination, elsewhere, onWindows]) => ({
    title: `${binding} ${destination} travels ${elsewhere}, on Windows ${onWindows}`,
    actual: () => [wayOf(binding, destination, false), wayOf(binding, destination, true)],
    expected: [elsewhere, onWindows],
  })),
  ...forwards.map(([binding, destination, target, rule]) => ({
    title: `${binding} ${destination} → ${target}`,
    actual: () => {
      const decision = ask(binding, destination);
      return decision.type === "forward" ? [formatTarget(decision.to), decision.rule.text] : decision.code;
    },
    expected: [target, rule],
  })),
  ...refusals.map(([binding, destination, code, reason, hint]) => ({
    title: `${binding} ${destination}: ${code}`,
    actual: () => {
      const decision = ask(binding, destination);
      if (decision.type === "forward") return formatTarget(decision.to);
      return [
        decision.code,
        reason.test(decision.reason) || decision.reason,
        hint.test(decision.hint) || decision.hint,
      ];
    },
    expected: [code, true, true],
  })),
  ...PROXY_ERROR_CODES.map((code) => ({
    title: `deny ${code}`,
    actual: () => {
      const decision = ask("NET", `http://${code}.deny:80`);
      return decision.type === "refuse" && decision.code;
    },
    expected: code,
  })),
];
