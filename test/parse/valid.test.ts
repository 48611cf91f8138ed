/** Valid destinations, targets and services, and what they become in the table. */

import path from "node:path";

import { describe, expect, test } from "vitest";

import { PROXY_ERROR_CODES } from "../../service-worker/routing/error-codes.ts";
import type { RouteMatch, RoutingTable, Service, Target } from "../../service-worker/routing/table.ts";
import { validRecords } from "./valid-record.ts";
import { TUNNEL_ID, type VpcFolder, createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const NETWORK = `"network": { "tunnel_id": "${TUNNEL_ID}" }`;

function serviceIn(table: RoutingTable, key = "app/API"): Service {
  const binding = table.bindings[key];
  if (binding?.kind !== "service") throw new Error(`${key} is ${binding?.kind}`);
  return binding.service;
}

async function loadEntry(vpc: VpcFolder, entry: string): Promise<Service> {
  await vpc.write("vpc.jsonc", `{ "services": { "API": ${entry} }, "networks": { "${TUNNEL_ID}": {} } }`);
  const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API")]), vpc.worker("stand-in")]);
  expect(vpc.format(loaded)).toEqual([]);
  return serviceIn(loaded.table);
}

const name = (text: string): RouteMatch => ({ type: "name", name: text });
const wildcard = (suffix: string): RouteMatch => ({ type: "wildcard", suffix });
const cidr = (address: string, prefix: number): RouteMatch => ({ type: "cidr", address, prefix });
const any: RouteMatch = { type: "any" };

describe("destinations", () => {
  const destinations: [written: string, match: RouteMatch, ports?: [from: number, to: number]][] = [
    ["users.internal", name("users.internal")],
    ["ORDERS.Internal.", name("orders.internal")],
    ["localhost:8080", name("localhost"), [8080, 8080]],
    ["my_service:1-65535", name("my_service"), [1, 65_535]],
    ["bücher.internal", name("xn--bcher-kva.internal")],
    ["constructor", name("constructor")],
    ["__proto__", name("__proto__")],
    ["*.internal", wildcard("internal")],
    ["*.Corp.Internal.:443", wildcard("corp.internal"), [443, 443]],
    ["10.0.1.50", cidr("10.0.1.50", 32)],
    ["10.0.1.50:6379", cidr("10.0.1.50", 32), [6379, 6379]],
    ["0x0a.1:80", cidr("10.0.0.1", 32), [80, 80]],
    ["::ffff:10.0.0.2", cidr("10.0.0.2", 32)],
    ["fd00::1", cidr("fd00::1", 128)],
    ["FD00:0::2", cidr("fd00::2", 128)],
    ["[fd00::3]", cidr("fd00::3", 128)],
    ["[fd00::4]:80", cidr("fd00::4", 128), [80, 80]],
    ["10.0.0.0/8", cidr("10.0.0.0", 8)],
    ["10.0.0.0/8:8000-8999", cidr("10.0.0.0", 8), [8000, 8999]],
    ["10.0.1.51/32", cidr("10.0.1.51", 32)],
    ["0.0.0.0/0", cidr("0.0.0.0", 0)],
    ["::/0", cidr("::", 0)],
    ["::ffff:10.128.0.0/105", cidr("10.128.0.0", 9)],
    ["fd00::/8", cidr("fd00::", 8)],
    ["[fd00::/8]:80-90", cidr("fd00::", 8), [80, 90]],
    ["*", any],
    ["*:443", any, [443, 443]],
    ["*:8000-8999", any, [8000, 8999]],
  ];

  test("become normal forms, in the order of the file", async () => {
    const routes = destinations.map(([written], index) => `${JSON.stringify(written)}: "localhost:${index + 1}"`);
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": { "NET": { "name": "office", "routes": {\n${routes.join(",\n")}\n} } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.table.networks[0]?.routes).toEqual(
      destinations.map(([text, match, ports], index) => ({
        text,
        match,
        ports: ports && { from: ports[0], to: ports[1] },
        target: { type: "address", host: "localhost", port: index + 1 },
        origin: `${path.join(vpc.folder, "vpc.jsonc")}:${index + 2}:1`,
      })),
    );
  });

  test("may have ports inside the range of another route", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": { "NET": { "routes": {
        "a": "x:1", "a:1-1000": "x:2", "a:5-10": "x:3", "a:5-7": "x:4", "a:8-10": "x:5", "a:9": "x:6", "a:2000": "x:7" } } } }`,
    });
    expect(vpc.format(await vpc.load([vpc.worker("app", [networkBinding("NET")])]))).toEqual([]);
  });
});

describe("targets", () => {
  const targets: [written: string, target: (folder: string) => Target][] = [
    ["localhost:3000", () => ({ type: "address", host: "localhost", port: 3000 })],
    ["LOCALHOST.:3000", () => ({ type: "address", host: "localhost", port: 3000 })],
    ["db.example.com", () => ({ type: "address", host: "db.example.com" })],
    ["127.0.0.1", () => ({ type: "address", host: "127.0.0.1" })],
    ["[::1]:3000", () => ({ type: "address", host: "::1", port: 3000 })],
    ["[::1]", () => ({ type: "address", host: "::1" })],
    ["0.0.0.0:3000", () => ({ type: "address", host: "127.0.0.1", port: 3000 })],
    ["http://0.0.0.0:3000", () => ({ type: "address", host: "127.0.0.1", port: 3000, scheme: "http" })],
    ["0.0.0.0", () => ({ type: "address", host: "127.0.0.1" })],
    ["[::]:3000", () => ({ type: "address", host: "::1", port: 3000 })],
    ["[::]", () => ({ type: "address", host: "::1" })],
    ["constructor:3000", () => ({ type: "address", host: "constructor", port: 3000 })],
    ["worker-host:3000", () => ({ type: "address", host: "worker-host", port: 3000 })],
    ["http:3000", () => ({ type: "address", host: "http", port: 3000 })],
    ["http://localhost:3000", () => ({ type: "address", host: "localhost", port: 3000, scheme: "http" })],
    ["http://localhost:3000/", () => ({ type: "address", host: "localhost", port: 3000, scheme: "http" })],
    ["HTTPS://Example.com", () => ({ type: "address", host: "example.com", scheme: "https" })],
    ["http://[::1]:3000", () => ({ type: "address", host: "::1", port: 3000, scheme: "http" })],
    ["worker:stand-in", () => ({ type: "worker", workerName: "stand-in" })],
    ["passthrough", () => ({ type: "passthrough" })],
  ];

  // windows.test.ts has its named pipes.
  const sockets: typeof targets = [
    ["unix:/run/api.sock", () => ({ type: "unix", path: "/run/api.sock" })],
    ["unix:///run/api.sock", () => ({ type: "unix", path: "/run/api.sock" })],
    ["unix:./api.sock", (folder) => ({ type: "unix", path: path.join(folder, "api.sock") })],
  ];

  test.each([...targets, ...(process.platform === "win32" ? [] : sockets)])("%s", async (written, expected) => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": { "NET": { "routes": { "a": ${JSON.stringify(written)} } } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")]), vpc.worker("stand-in")]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.table.networks[0]?.routes[0]?.target).toEqual(expected(vpc.folder));
  });

  test("can deny with every error code", async () => {
    const routes = PROXY_ERROR_CODES.map((code) => `"${code}": { "deny": "${code}" }`);
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": { "NET": { "routes": {${routes.join()}} } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.table.networks[0]?.routes.map(({ target }) => target)).toEqual(
      PROXY_ERROR_CODES.map((code) => ({ type: "deny", code })),
    );
  });
});

describe("a service that is only a target", () => {
  const http = { httpPort: 80, httpsPort: 443 };
  const shorthands: [entry: string, service: Partial<Service>][] = [
    ['"http://localhost:1"', { type: "http", ...http }],
    ['"https://localhost"', { type: "http", ...http }],
    ['"localhost:5432"', { type: "both", ...http, tcpPort: 5432 }],
    // No port to connect to: fetch only.
    ['"localhost"', { type: "both", ...http }],
    [
      process.platform === "win32" ? '"unix://./pipe/api"' : '"unix:/run/api.sock"',
      { type: "both", ...http, tcpPort: 1 },
    ],
    ['"worker:stand-in"', { type: "both", ...http, tcpPort: 1 }],
    ['{ "deny": "dns_error" }', { type: "both", ...http, tcpPort: 1 }],
  ];

  test.each(shorthands)("%s", async (entry, expected) => {
    await using vpc = await createFolder();
    const { target, origin, ...service } = await loadEntry(vpc, entry);
    expect(target).toBeDefined();
    expect(origin).toBe(`${path.join(vpc.folder, "vpc.jsonc")}:1:17`);
    expect(service).toEqual({ label: "API", hosts: [], ...expected });
  });
});

describe("a service's record", () => {
  test.each(validRecords)("%s", async (_, fields, expected) => {
    await using vpc = await createFolder();
    const { origin, ...service } = await loadEntry(vpc, `{ "name": "api", ${fields} }`);
    expect(origin).toBe(`${path.join(vpc.folder, "vpc.jsonc")}:1:17`);
    expect(service).toEqual({ label: "api", networkId: TUNNEL_ID, network: 0, ...expected });
  });

  test("with a target ignores its network", async () => {
    await using vpc = await createFolder();
    const service = await loadEntry(
      vpc,
      `{ "name": "api", "type": "http", "host": { "ipv4": "10.0.0.1", ${NETWORK} }, "target": "passthrough" }`,
    );
    expect(service.network).toBeUndefined();
    expect(service.target).toEqual({ type: "passthrough" });
  });
});

test("an empty object is valid and has defaults", async () => {
  await using vpc = await createFolder({ "vpc.json": "{}" });
  const { table, diagnostics } = await vpc.load([vpc.worker("app", [serviceBinding("API", "s-1")])]);
  expect(diagnostics.map(({ code }) => code)).toEqual(["no-entry"]);
  expect(table.bindings["app/API"]).toEqual({
    kind: "unlinked",
    workerName: "app",
    bindingName: "API",
    label: "API",
    bindingType: "vpc-service",
    id: "s-1",
    configFile: path.join(vpc.folder, "vpc.json"),
    tls: { verify: "verify_full", ca: [] },
    limits: { connectTimeout: 5000, dnsTimeout: 5000, workerLimit: 256 },
    traffic: true,
  });
});
