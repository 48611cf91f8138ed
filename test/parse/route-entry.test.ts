/** Routes that are objects around a target: what they become in the table, and which of several settings wins. */

import path from "node:path";

import { describe, expect, test } from "vitest";

import { decide } from "../../service-worker/routing/decide.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import type { Policies } from "../../service-worker/routing/route-settings.ts";
import type { Limits, Route } from "../../service-worker/routing/table.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { networkOf } from "../setup/network-table.ts";
import { SERVICE_ID, TUNNEL_ID, createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const { cert } = makeAuthority("Test root");
const FILES = { "all.pem": cert, "service.pem": cert, "network.pem": cert, "certs/route.pem": cert };
const DEFAULTS: Limits = { connectTimeout: 5000, dnsTimeout: 5000, workerLimit: 256 };

const MODE = '"tls_settings": { "cert_verification_mode": "disabled" }';

const LIMITS = {
  connectTimeout: 1,
  dnsTimeout: 300_000,
  readTimeout: 2,
  writeTimeout: 3,
  connectionLimit: 1,
  workerLimit: 4,
};
const ADDRESS = { type: "address", host: "localhost", port: 1 };

const valid: [entry: string, route: Partial<Route>][] = [
  [`{ "target": "localhost:1" }`, { target: ADDRESS } as Partial<Route>],
  [`{ "target": "localhost:1", "tls_settings": null, "ca": [] }`, { target: ADDRESS } as Partial<Route>],
  [
    `{ "tls_settings": { "cert_verification_mode": "disabled" }, "target": "https://localhost" }`,
    { target: { type: "address", host: "localhost", scheme: "https" }, settings: { verify: "disabled" } },
  ],
  [
    `{ "target": "passthrough", "ca": ["./all.pem", "certs/route.pem"] }`,
    { target: { type: "passthrough" }, settings: { ca: ["all.pem", path.join("certs", "route.pem")] } },
  ],
  [
    `{ "target": "worker:app", ${JSON.stringify(LIMITS).slice(1)}`,
    { target: { type: "worker", workerName: "app" }, settings: { limits: LIMITS } },
  ],
  [
    `{ "target": { "deny": "dns_error" }, "readTimeout": 5 }`,
    { target: { type: "deny", code: "dns_error" }, settings: { limits: { readTimeout: 5 } } },
  ],
  [`{ "deny": "dns_error" }`, { target: { type: "deny", code: "dns_error" } }],
];

describe("a route as an object", () => {
  test.each(valid)("%s", async (entry, expected) => {
    await using vpc = await createFolder({
      ...FILES,
      "vpc.jsonc": `{ "networks": { "NET": { "routes": { "a:443": ${entry} } } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([]);
    const [route] = loaded.table.networks[0]?.routes ?? [];
    const ca = route?.settings?.ca?.map((file) => path.relative(vpc.folder, file));
    expect(route && { ...route, ...(ca && { settings: { ...route.settings, ca } }) }).toStrictEqual({
      text: "a:443",
      match: { type: "name", name: "a" },
      ports: { from: 443, to: 443 },
      origin: `${path.join(vpc.folder, "vpc.jsonc")}:1:38`,
      ...expected,
    });
  });

  test("holds a function of a vpc.config.*", async () => {
    await using vpc = await createFolder({
      "vpc.config.mjs": `export default { networks: { NET: { routes: {
        a: { target: () => new Response("a"), readTimeout: 5, connectTimeout: undefined, rateLimit: undefined },
        b: { target: { connect: (socket) => socket.end() }, readTimeout: 6 } } } } };`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.table.networks[0]?.routes.map(({ target, settings }) => [target.type, settings])).toEqual([
      ["function", { limits: { readTimeout: 5 } }],
      ["function", { limits: { readTimeout: 6 } }],
    ]);
    expect(loaded.functions.size).toBe(2);
  });

  test("names its roots among the files whose edit counts, missing ones too", async () => {
    await using vpc = await createFolder({
      ...FILES,
      "vpc.jsonc": `{ "networks": { "NET": { "routes": { "a": { "target": "x:1", "ca": ["all.pem", "later.pem"] } } } } }`,
    });
    const { files } = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(files).toEqual(expect.arrayContaining(["all.pem", "later.pem"].map((name) => path.join(vpc.folder, name))));
  });
});

test("the settings of a route win over its service's, its network's and those at the top; roots add up", async () => {
  await using vpc = await createFolder({
    ...FILES,
    "vpc.jsonc": `{
  "ca": ["all.pem"], "connectTimeout": 1, "dnsTimeout": 1, "readTimeout": 1, "writeTimeout": 1, "rateLimit": { "limit": 1 },
  "services": { "${SERVICE_ID}": { "name": "users", "type": "http", "ca": ["service.pem"], "dnsTimeout": 3, "readTimeout": 3,
    "tls_settings": { "cert_verification_mode": "verify_ca" },
    "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } } },
  "networks": { "${TUNNEL_ID}": {
    "ca": ["network.pem"], "writeTimeout": 2, "dnsTimeout": 2, "readTimeout": 2,
    "tls_settings": { "cert_verification_mode": "disabled" },
    "routes": {
      "users.internal:80": "localhost:1",
      "users.internal:443": { "target": "localhost:1", "ca": ["certs/route.pem"], "readTimeout": 4, "connectTimeout": 4,
        "tls_settings": { "cert_verification_mode": "verify_full" } }
    } } }
}`,
  });
  const bindings = [serviceBinding("API"), networkBinding("NET"), networkBinding("MESH", "cf1:network")];
  const loaded = await vpc.load([vpc.worker("app", bindings)]);
  expect(vpc.format(loaded)).toEqual([]);
  const index = indexTable(loaded.table);
  const policiesOf = (binding: string, scheme: "http" | "https"): Policies => {
    const port = scheme === "http" ? 80 : 443;
    const decision = decide(index, `app/${binding}`, { scheme, host: "users.internal", port });
    if (decision.type === "refuse") throw new Error(decision.reason);
    const ca = decision.tls.ca.map((file) => path.basename(file));
    return { tls: { ...decision.tls, ca }, limits: decision.limits };
  };
  const all = { ...DEFAULTS, rateLimit: { limit: 1, period: 60 } };
  const ofRoute = { connectTimeout: 4, readTimeout: 4 };
  expect(policiesOf("API", "http")).toEqual({
    tls: { verify: "verify_ca", ca: ["all.pem", "service.pem", "network.pem"] },
    limits: { ...all, connectTimeout: 1, dnsTimeout: 3, readTimeout: 3, writeTimeout: 2 },
  });
  expect(policiesOf("API", "https")).toEqual({
    tls: { verify: "verify_full", ca: ["all.pem", "service.pem", "network.pem", "route.pem"] },
    limits: { ...all, dnsTimeout: 3, writeTimeout: 2, ...ofRoute },
  });
  expect(policiesOf("NET", "https")).toEqual({
    tls: { verify: "verify_full", ca: ["all.pem", "network.pem", "route.pem"] },
    limits: { ...all, dnsTimeout: 2, writeTimeout: 2, ...ofRoute },
  });
  // A route keeps its settings in the union of all networks.
  expect(policiesOf("MESH", "https")).toEqual({
    tls: { verify: "verify_full", ca: ["all.pem", "network.pem", "route.pem"] },
    limits: { ...all, dnsTimeout: 1, writeTimeout: 1, ...ofRoute },
  });
});

test("in cf1:network, two routes to one target are the same only with the same settings", async () => {
  await using vpc = await createFolder({
    ...FILES,
    "vpc.jsonc": `{ "networks": {
  "NET": { "routes": {
    "a": { "target": "localhost:1", ${MODE}, "readTimeout": 5 }, "b": { "target": "localhost:2" },
    "c": { "target": "localhost:3", "readTimeout": 5 }, "d": "localhost:4" } },
  "SAME": { "routes": {
    "a": { "readTimeout": 5, ${MODE}, "target": "localhost:1" }, "c": { "target": "localhost:3", "readTimeout": 5 } } },
  "MODE": { "routes": { "a": { "target": "localhost:1", "readTimeout": 5 }, "b": "localhost:2" } },
  "LIMIT": { "routes": { "c": { "target": "localhost:3", "readTimeout": 6 } } },
  "ROOTS": { "routes": { "d": { "target": "localhost:4", "ca": ["all.pem"] } } }
} }`,
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("MESH", "cf1:network")])]);
  expect(vpc.format(loaded).filter((line) => !line.startsWith(" "))).toEqual([
    'vpc.jsonc:7:25: warning: in cf1:network, "a" is overridden by "a" on line 3 [conflicting-routes]',
    'vpc.jsonc:8:26: warning: in cf1:network, "c" is overridden by "c" on line 4 [conflicting-routes]',
    'vpc.jsonc:9:26: warning: in cf1:network, "d" is overridden by "d" on line 4 [conflicting-routes]',
  ]);
  expect(networkOf(loaded.table, "app/MESH")?.routes.map(({ text, settings }) => [text, settings])).toEqual([
    ["a", { verify: "disabled", limits: { readTimeout: 5 } }],
    ["b", undefined],
    ["c", { limits: { readTimeout: 5 } }],
    ["d", undefined],
  ]);
});
