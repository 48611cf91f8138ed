/** The limits of a call and the resolvers of `passthrough`, from the three places in the vpc config. */

import { describe, expect, test } from "vitest";

import type { Limits } from "../../service-worker/routing/table.ts";
import { networkOf } from "../setup/network-table.ts";
import { SERVICE_ID, TUNNEL_ID, createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const MESH_ID = "cf1:network";
const OTHER_TUNNEL_ID = "00000000-0000-4000-8000-000000000000";
const DEFAULTS: Limits = { connectTimeout: 5000, dnsTimeout: 5000, workerLimit: 256 };

const bindings = [
  serviceBinding("API"),
  serviceBinding("SHORT", "another-id"),
  networkBinding("NET"),
  networkBinding("OTHER", OTHER_TUNNEL_ID),
  networkBinding("MESH", MESH_ID),
];

/** An http record. `resolvers` is JSON for its host's network, `fields` is JSON for the record itself. */
function record(fields = "", resolvers = ""): string {
  return `{ "name": "users", "type": "http", "http_port": 80, ${fields}
    "host": { "hostname": "users.internal", "resolver_network": { ${resolvers} "tunnel_id": "${TUNNEL_ID}" } } }`;
}

async function limitsOf(config: string): Promise<Record<string, Limits>> {
  await using vpc = await createFolder({ "vpc.jsonc": config });
  const loaded = await vpc.load([vpc.worker("app", bindings)]);
  expect(vpc.format(loaded).filter((line) => line.includes("error"))).toEqual([]);
  return Object.fromEntries(
    Object.values(loaded.table.bindings).map(({ bindingName, limits }) => [bindingName, limits]),
  );
}

describe("limits", () => {
  test("at the top level apply to every binding, even one without an entry", async () => {
    const limits = {
      connectTimeout: 1,
      dnsTimeout: 300_000,
      readTimeout: 2,
      writeTimeout: 3,
      connectionLimit: 1,
      rateLimit: { limit: 10, period: 3600 },
      workerLimit: 4,
    };
    const config = { ...limits, services: { [SERVICE_ID]: "localhost:1" }, networks: { NET: {} } };
    expect(await limitsOf(JSON.stringify(config))).toEqual({
      API: limits,
      SHORT: limits,
      NET: limits,
      OTHER: limits,
      MESH: limits,
    });
  });

  test("of a service win over those of its network, which win over those at the top level", async () => {
    const networks = `"networks": {
      "NET": { "dnsTimeout": 2, "readTimeout": 2, "rateLimit": { "limit": 2 } },
      "${OTHER_TUNNEL_ID}": { "writeTimeout": 5 } }`;
    const top = `"connectTimeout": 1, "dnsTimeout": 1, "rateLimit": { "limit": 1, "period": 1 }`;
    expect(
      await limitsOf(`{ ${top}, ${networks}, "services": {
        "API": ${record('"readTimeout": 3, "connectionLimit": 3,')}, "SHORT": { "target": "localhost:1", "readTimeout": 9 } } }`),
    ).toEqual({
      API: {
        ...DEFAULTS,
        connectTimeout: 1,
        dnsTimeout: 2,
        readTimeout: 3,
        connectionLimit: 3,
        rateLimit: { limit: 2, period: 60 },
      },
      SHORT: { ...DEFAULTS, connectTimeout: 1, dnsTimeout: 1, readTimeout: 9, rateLimit: { limit: 1, period: 1 } },
      NET: { ...DEFAULTS, connectTimeout: 1, dnsTimeout: 2, readTimeout: 2, rateLimit: { limit: 2, period: 60 } },
      OTHER: { ...DEFAULTS, connectTimeout: 1, dnsTimeout: 1, writeTimeout: 5, rateLimit: { limit: 1, period: 1 } },
      MESH: { ...DEFAULTS, connectTimeout: 1, dnsTimeout: 1, rateLimit: { limit: 1, period: 1 } },
    });
  });

  test("of a network don't apply to a service with its own target", async () => {
    const limits = await limitsOf(`{
      "services": { "API": ${record('"target": "localhost:1", "workerLimit": 3,')} },
      "networks": { "${TUNNEL_ID}": { "readTimeout": 2 } } }`);
    expect(limits["API"]).toEqual({ ...DEFAULTS, workerLimit: 3 });
  });

  test("of cf1:network come from its own entry", async () => {
    const limits = await limitsOf(`{ "networks": {
      "${MESH_ID}": { "readTimeout": 1 }, "${TUNNEL_ID}": { "readTimeout": 2, "writeTimeout": 2 } } }`);
    expect(limits["MESH"]).toEqual({ ...DEFAULTS, readTimeout: 1 });
  });
});

describe("the resolvers of a network", () => {
  test("apply only to its passthrough routes, in normal form", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": { "NET": {
        "routes": { "a": "passthrough", "10.0.0.0/8": "passthrough", "b": "real.example", "c": { "deny": "dns_error" } },
        "resolver_ips": ["10.0.0.53", "::ffff:10.0.0.54", "10.0.0.53:5353", "FD00:0::53", "[fd00::53]", "[FD00::53]:53"] } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([]);
    const resolvers = ["10.0.0.53", "10.0.0.54", "10.0.0.53:5353", "fd00::53", "fd00::53", "[fd00::53]:53"];
    expect(networkOf(loaded.table, "app/NET")?.routes.map(({ target }) => target)).toEqual([
      { type: "passthrough", resolvers },
      { type: "passthrough", resolvers },
      { type: "address", host: "real.example" },
      { type: "deny", code: "dns_error" },
    ]);
  });

  test("are absent if the list is empty", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": { "NET": { "routes": { "a": "passthrough" }, "resolver_ips": [] } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(networkOf(loaded.table, "app/NET")?.routes[0]?.target).toEqual({ type: "passthrough" });
  });

  test("stay with its routes in cf1:network, and apply only to names there", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": {
  "${MESH_ID}": { "routes": { "own": "passthrough" } },
  "NET": { "resolver_ips": ["10.0.0.53"], "routes": {
    "a": "passthrough", "10.0.0.0/8": "passthrough" } },
  "OTHER": { "resolver_ips": ["10.1.0.53"], "routes": {
    "a": "passthrough", "b": "passthrough",
    "10.0.0.0/8": "passthrough" } } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("MESH", MESH_ID)])]);
    expect(vpc.format(loaded)).toEqual([
      'vpc.jsonc:6:5: warning: in cf1:network, "a" is overridden by "a" on line 4 [conflicting-routes]',
      '    To choose another target, add a route to "cf1:network" itself.',
    ]);
    expect(networkOf(loaded.table, "app/MESH")?.routes.map(({ text, target }) => [text, target])).toEqual([
      ["own", { type: "passthrough" }],
      ["a", { type: "passthrough", resolvers: ["10.0.0.53"] }],
      ["10.0.0.0/8", { type: "passthrough", resolvers: ["10.0.0.53"] }],
      ["b", { type: "passthrough", resolvers: ["10.1.0.53"] }],
    ]);
  });

  const RESOLVERS = '"resolver_ips": ["10.0.0.53", "FD00:0::53"],';
  const services: [title: string, service: string, network: string, target: unknown][] = [
    [
      "the record's own resolvers win",
      record('"target": "passthrough",', RESOLVERS),
      '{ "resolver_ips": ["10.1.0.53"] }',
      { type: "passthrough", resolvers: ["10.0.0.53", "fd00::53"] },
    ],
    [
      "a record without resolvers has those of the network",
      record('"target": "passthrough",'),
      '{ "resolver_ips": ["10.1.0.53:5353"] }',
      { type: "passthrough", resolvers: ["10.1.0.53:5353"] },
    ],
    [
      "an empty list counts as absent",
      record('"target": "passthrough",', '"resolver_ips": [],'),
      '{ "resolver_ips": ["10.1.0.53"] }',
      { type: "passthrough", resolvers: ["10.1.0.53"] },
    ],
    [
      'null counts as absent, and a "remote" network has none',
      record('"target": "passthrough",', '"resolver_ips": null,'),
      '"remote"',
      { type: "passthrough" },
    ],
    [
      "this machine resolves a target that is a name",
      record('"target": "real.example",', RESOLVERS),
      "{}",
      { type: "address", host: "real.example" },
    ],
  ];

  test.each(services)("a service that passes through: %s", async (_, service, network, target) => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "services": { "API": ${service} }, "networks": { "${TUNNEL_ID}": ${network} } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API")])]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.table.bindings["app/API"]).toMatchObject({ kind: "service" });
    expect(loaded.table.bindings["app/API"]).toHaveProperty("service.target", target);
  });
});
