/** Faults and the seed of the vpc config: what they become in the table, and which of them a call gets. */

import path from "node:path";

import { expect, test } from "vitest";

import { decide } from "../../service-worker/routing/decide.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import type { LoadedTable } from "../../plugin/load.ts";
import { networkOf } from "../setup/network-table.ts";
import { SERVICE_ID, TUNNEL_ID, createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const DEFAULTS = { stream: "downstream", toxicity: 1 };
const DOWN = { ...DEFAULTS, type: "down", attributes: {} };
const SLOW = { ...DEFAULTS, type: "latency", attributes: { latency: 5, jitter: 0 } };

function slowRoute(latency: number): string {
  return `{ "target": "localhost:1", "faults": [{ "type": "latency", "attributes": { "latency": ${latency} } }] }`;
}

/** The faults of a call, as the decision has them. */
function faultsOf({ table }: LoadedTable, binding: string, host = "users.internal"): unknown {
  const decision = decide(indexTable(table), `app/${binding}`, { scheme: "http", host, port: 80 });
  if (decision.type === "refuse") throw new Error(decision.reason);
  return decision.faults;
}

test("a route's faults have every default, and are part of its settings", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "networks": { "NET": { "routes": {
      "a": { "target": "localhost:1", "readTimeout": 5, "faults": [
        { "name": "slow", "type": "latency", "stream": "upstream", "toxicity": 0.5, "attributes": { "latency": 200, "jitter": 50 } },
        { "type": "down" }, { "type": "slicer", "attributes": { "average_size": 10 } }] },
      "b": { "target": "localhost:1", "faults": [] } } } } }`,
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
  expect(vpc.format(loaded)).toEqual([]);
  expect(loaded.table.networks[0]?.routes.map(({ settings }) => settings)).toStrictEqual([
    {
      limits: { readTimeout: 5 },
      faults: [
        { name: "slow", type: "latency", stream: "upstream", toxicity: 0.5, attributes: { latency: 200, jitter: 50 } },
        DOWN,
        { ...DEFAULTS, type: "slicer", attributes: { average_size: 10, size_variation: 0, delay: 0 } },
      ],
    },
    undefined,
  ]);
});

test("a vpc.config.* may have undefined fields", async () => {
  await using vpc = await createFolder({
    "vpc.config.mjs": `const faults = [{ type: "latency", name: undefined, attributes: { latency: 5, jitter: undefined } }];
      export default { seed: undefined, networks: { NET: { routes: {
        a: { target: () => new Response("a"), faults }, b: { target: "b:1", faults: undefined } } } } };`,
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
  expect(vpc.format(loaded)).toEqual([]);
  expect(loaded.table.networks[0]?.routes.map(({ settings }) => settings)).toEqual([{ faults: [SLOW] }, undefined]);
});

test("the faults of a service and of the route that it takes add up; without any, a decision has none", async () => {
  const record = `"name": "users", "type": "http",
    "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } }`;
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "services": {
  "TARGET": { "target": "localhost:1", "faults": [{ "type": "down" }] },
  "PLAIN": { "target": "localhost:1", "faults": [] },
  "${SERVICE_ID}": { ${record}, "faults": [{ "type": "down" }] } },
"networks": { "${TUNNEL_ID}": { "routes": {
  "users.internal": { "target": "localhost:1", "faults": [{ "type": "latency", "attributes": { "latency": 5 } }] },
  "limited.internal": { "target": "localhost:1", "readTimeout": 5 }, "plain.internal": "localhost:1" } } } }`,
  });
  const bindings = [
    serviceBinding("TARGET", "t"),
    serviceBinding("PLAIN", "p"),
    serviceBinding("RECORD"),
    networkBinding("NET"),
    networkBinding("MESH", "cf1:network"),
  ];
  const loaded = await vpc.load([vpc.worker("app", bindings)]);
  expect(vpc.format(loaded)).toEqual([]);
  expect(faultsOf(loaded, "TARGET")).toEqual([DOWN]);
  expect(faultsOf(loaded, "PLAIN")).toBeUndefined();
  expect(faultsOf(loaded, "RECORD")).toEqual([DOWN, SLOW]);
  expect(faultsOf(loaded, "NET")).toEqual([SLOW]);
  expect(faultsOf(loaded, "MESH")).toEqual([SLOW]);
  for (const host of ["limited.internal", "plain.internal"]) expect(faultsOf(loaded, "NET", host)).toBeUndefined();
});

test("in cf1:network, two routes are the same only with the same faults", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "networks": {
  "ONE": { "routes": { "a": ${slowRoute(5)}, "b": ${slowRoute(5)} } },
  "TWO": { "routes": { "a": ${slowRoute(5)}, "b": ${slowRoute(6)} } } } }`,
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("MESH", "cf1:network")])]);
  expect(vpc.format(loaded).filter((line) => !line.startsWith(" "))).toEqual([
    expect.stringMatching(/^vpc\.jsonc:3:\d+: warning: in cf1:network, "b" is overridden by "b" on line 2 /),
  ]);
  expect(networkOf(loaded.table, "app/MESH")?.routes.map(({ settings }) => settings)).toEqual([
    { faults: [SLOW] },
    { faults: [SLOW] },
  ]);
});

test("the table has the seed of the first config that has one, and none otherwise", async () => {
  await using one = await createFolder({ "vpc.jsonc": '{ "services": { "API": "localhost:1" } }' });
  await using two = await createFolder({ "vpc.jsonc": '{ "seed": -7, "services": { "API": "localhost:1" } }' });
  const workers = [
    { ...one.worker("one", [serviceBinding("API")]), rootPath: one.folder },
    { ...two.worker("two", [serviceBinding("API")]), rootPath: path.resolve(two.folder) },
  ];
  expect((await one.load(workers)).table.seed).toBe(-7);
  expect((await one.load(workers.slice(0, 1))).table).not.toHaveProperty("seed");
});

function withoutEffect(fault: string, what: string): unknown {
  return expect.stringContaining(
    `warning: the fault "${fault}" acts on fetch() only, and ${what} takes only connect() [fault-without-effect]`,
  );
}

test("a fault that acts on fetch() only, where only connect() is taken, is a warning; elsewhere it is none", async () => {
  await using vpc = await createFolder({
    "vpc.config.mjs": `const faults = [
  { type: "http_status", attributes: { status: 503 } }, { type: "failure", attributes: { code: "dns_error" } },
  { type: "truncate", attributes: { bytes: 5 } },
];
export default {
  services: {
    DB: { target: { connect() {} }, faults },
    "${SERVICE_ID}": { name: "db", type: "tcp", tcp_port: 1, host: { hostname: "db", network: { tunnel_id: "${TUNNEL_ID}" } }, faults },
    BOTH: { target: "localhost:1", faults },
  },
  networks: { NET: { routes: {
    tcp: { target: { connect() {} }, faults }, both: { target: { connect() {}, fetch() {} }, faults },
    http: { target: () => new Response(), faults },
  } } },
};`,
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET", "0")])]);
  const found = vpc.format(loaded).filter((line) => line.includes("fault-without-effect"));
  expect(found).toEqual([
    withoutEffect("http_status", "this service"),
    withoutEffect("truncate", "this service"),
    withoutEffect("http_status", "this service"),
    withoutEffect("truncate", "this service"),
    withoutEffect("http_status", "the function of this route"),
    withoutEffect("truncate", "the function of this route"),
  ]);
  expect(vpc.format(loaded)).toContain('    Use "down", "failure", "reset_peer", "limit_data".');
});
