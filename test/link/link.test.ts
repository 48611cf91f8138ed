/** Linking a session's bindings with a config: which entry each binding gets, and the diagnostics. */

import { describe, expect, test } from "vitest";

import { decide } from "../../service-worker/routing/decide.ts";
import { formatTarget } from "../../service-worker/routing/forward-target.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import type { RoutingTable } from "../../service-worker/routing/table.ts";
import { networkOf, portOf, targetsOf } from "../setup/network-table.ts";
import { SERVICE_ID, TUNNEL_ID, createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const OTHER_TUNNEL_ID = "00000000-0000-4000-8000-000000000000";
const MESH_ID = "cf1:network";

const RECORD = `{ "name": "users", "type": "http", "http_port": 8080,
    "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } }`;

describe("the entry of a binding", () => {
  test("an entry under the id, in any case, wins over one under the name", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{
  "services": { "API": "localhost:1", "${SERVICE_ID.toUpperCase()}": "localhost:2", "DB": "localhost:3" },
  "networks": { "NET": { "routes": { "a": "localhost:4" } },
    "${TUNNEL_ID}": { "routes": { "a": "localhost:5" } } }
}`,
    });
    const loaded = await vpc.load([
      vpc.worker("app", [serviceBinding("API"), serviceBinding("DB", "some-id"), networkBinding("NET")]),
    ]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(["app/API", "app/DB"].map((key) => portOf(loaded.table, key))).toEqual([2, 3]);
    expect(targetsOf(loaded.table, "app/NET")).toEqual({ a: 5 });
  });

  test("a binding without an entry is unlinked, and a warning says what to add", async () => {
    await using vpc = await createFolder({ "vpc.jsonc": `{\n  "services": { "OTHER": "localhost:1" }\n}` });
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([
      'vpc.jsonc:1:1: warning: the binding "NET" of Worker "app" has no entry, so every call is refused [no-entry]',
      `    Add "${TUNNEL_ID}": { "routes": { "users.internal": "localhost:3000" } } to "networks". The key can also be "NET".`,
      'vpc.jsonc:2:3: warning: the binding "API" of Worker "app" has no entry, so every call is refused [no-entry]',
      `    Add "${SERVICE_ID}": "localhost:3000" to "services". The key can also be "API".`,
    ]);
    expect(Object.values(loaded.table.bindings).map(({ kind }) => kind)).toEqual(["unlinked", "unlinked"]);
  });

  test("a key similar to a binding without an entry is a typo; other keys belong to other Workers", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "services": { "ORDRES": "localhost:1", "USERS": "localhost:2", "USER": "localhost:3", "PIA": "localhost:4" },
  "networks": { "${TUNNEL_ID.replace("4400", "4401")}": {}, "ELSEWHERE": {}, "${MESH_ID}": {}, "NETT": {} } }`,
    });
    const loaded = await vpc.load([
      vpc.worker("app", [serviceBinding("ORDERS", "1"), serviceBinding("USERS", "2"), networkBinding("NET")]),
    ]);
    expect(vpc.format(loaded).filter((line) => !line.includes("no-entry") && !line.includes("Add"))).toEqual([
      'vpc.jsonc:1:17: warning: "ORDRES" matches no binding of this session [unmatched-key]',
      '    Did you mean "ORDERS"?',
      'vpc.jsonc:2:97: warning: "NETT" matches no binding of this session [unmatched-key]',
      '    Did you mean "NET"?',
    ]);
  });

  test("an entry in the wrong section", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "services": { "${TUNNEL_ID}": "localhost:1" },\n  "networks": { "API": {} } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])]);
    expect(vpc.format(loaded)).toEqual([
      `vpc.jsonc:1:17: error: "${TUNNEL_ID}" is a network binding, but its entry is under "services" [wrong-section]`,
      '    Move it to "networks".',
      'vpc.jsonc:2:17: error: "API" is a service binding, but its entry is under "networks" [wrong-section]',
      '    Move it to "services".',
    ]);
  });

  test('"remote" leaves a binding to wrangler', async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "services": { "API": "remote", "DB": "localhost:1" }, "networks": { "${TUNNEL_ID}": "remote", "${MESH_ID}": "remote" } }`,
    });
    const loaded = await vpc.load([
      vpc.worker("app", [
        serviceBinding("API"),
        serviceBinding("DB", "2"),
        networkBinding("NET"),
        networkBinding("MESH", MESH_ID),
      ]),
    ]);
    expect(vpc.format(loaded)).toEqual([]);
    expect([...loaded.remoteBindings]).toEqual(["app/API", "app/NET", "app/MESH"]);
    expect(Object.keys(loaded.table.bindings)).toEqual(["app/DB"]);
  });
});

describe("a service without a target", () => {
  test("is routed by its tunnel's network, even if that has a binding's name as its key", async () => {
    for (const key of [TUNNEL_ID, TUNNEL_ID.toUpperCase(), "NET"]) {
      await using vpc = await createFolder({
        "vpc.jsonc": `{ "services": { "API": ${RECORD} }, "networks": { "${key}": { "routes": { "users.internal": "localhost:1" } } } }`,
      });
      const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])]);
      expect(vpc.format(loaded)).toEqual([]);
      expect(targetsOf(loaded.table, "app/API")).toEqual({ "users.internal": 1 });
      // The binding and the service share the network.
      expect(loaded.table.networks).toHaveLength(1);
    }
  });

  test("warns when that network has no entry, or is remote", async () => {
    await using vpc = await createFolder({ "vpc.jsonc": `{\n  "services": { "API": ${RECORD} } }` });
    const app = vpc.worker("app", [serviceBinding("API")]);
    const loaded = await vpc.load([app]);
    expect(vpc.format(loaded)).toEqual([
      `vpc.jsonc:2:17: warning: the service "users" has no "target", and its network "${TUNNEL_ID}" has no entry [service-without-route]`,
      `    Add "${TUNNEL_ID}": { "routes": { "users.internal": "localhost:8080" } } to "networks", or a "target" to the service.`,
    ]);
    expect(loaded.table.bindings["app/API"]).toMatchObject({ kind: "service", service: { networkId: TUNNEL_ID } });

    await vpc.write("vpc.jsonc", `{ "services": { "API": ${RECORD} }, "networks": { "${TUNNEL_ID}": "remote" } }`);
    expect(vpc.format(await vpc.load([app]))).toEqual([
      `vpc.jsonc:1:17: warning: the service "users" has no "target", and its network "${TUNNEL_ID}" is "remote" [service-without-route]`,
      '    Add a "target" to the service, or make the service "remote" too.',
    ]);
  });
});

describe("cf1:network", () => {
  const mesh = networkBinding("MESH", MESH_ID);

  test("is the union of all networks and its own routes, which win", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": {
  "${TUNNEL_ID}": { "routes": { "a": "localhost:1", "b": "localhost:2", "same": "localhost:9" } },
  "${MESH_ID}": { "routes": { "B.": "localhost:3", "c": "localhost:4" } },
  "${OTHER_TUNNEL_ID}": { "routes": { "d": "localhost:5", "same": "localhost:9", "a:80": "localhost:6" } },
  "AWAY": "remote" } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [mesh])]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(targetsOf(loaded.table, "app/MESH")).toEqual({ a: 1, "B.": 3, c: 4, d: 5, same: 9, "a:80": 6 });
    expect(loaded.table.networks).toHaveLength(1);
  });

  test("needs no entry, but at least one network", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": { "NET": { "routes": { "a": "localhost:1" } } } }`,
    });
    const app = vpc.worker("app", [mesh]);
    const loaded = await vpc.load([app]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(targetsOf(loaded.table, "app/MESH")).toEqual({ a: 1 });
    expect(networkOf(loaded.table, "app/MESH")).toMatchObject({ networkId: MESH_ID, origin: "" });

    await vpc.write("vpc.jsonc", "{}");
    const empty = await vpc.load([app]);
    expect(empty.diagnostics.map(({ code }) => code)).toEqual(["no-entry"]);
  });

  test("warns if two networks disagree; the first in the file wins", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": {
  "${TUNNEL_ID}": { "routes": { "a": "localhost:1", "b:80-90": "localhost:2", "c": "localhost:3" } },
  "${OTHER_TUNNEL_ID}": { "routes": {
    "A": "localhost:4",
    "b:85-95": "localhost:5",
    "c:80": "localhost:6" } } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [mesh])]);
    expect(vpc.format(loaded)).toEqual([
      'vpc.jsonc:4:5: warning: in cf1:network, "A" is overridden by "a" on line 2 [conflicting-routes]',
      '    To choose another target, add a route to "cf1:network" itself.',
      'vpc.jsonc:5:5: warning: in cf1:network, "b:85-95" is overridden by "b:80-90" on line 2 [conflicting-routes]',
      '    To choose another target, add a route to "cf1:network" itself.',
    ]);
    expect(targetsOf(loaded.table, "app/MESH")).toEqual({ a: 1, "b:80-90": 2, c: 3, "c:80": 6 });
  });
});

/** What a request for a name without a route of its own gets. */
function ask(table: RoutingTable, bindingName: string): string {
  const decision = decide(indexTable(table), `app/${bindingName}`, { scheme: "http", host: "www.example", port: 80 });
  return decision.type === "refuse" ? decision.code : `${decision.rule.text} ${formatTarget(decision.to)}`;
}

describe('a route for "*"', () => {
  const SERVICE = `"services": { "API": { "name": "api", "type": "http", "http_port": 80,
    "host": { "hostname": "api.example", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } } }`;
  const bindings = [serviceBinding("API"), networkBinding("NET"), networkBinding("MESH", MESH_ID)];

  test("in cf1:network opens no tunnel and no service", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ ${SERVICE}, "networks": {
  "${TUNNEL_ID}": { "routes": { "a": "localhost:1" } },
  "${MESH_ID}": { "routes": { "*": "passthrough" } } } }`,
    });
    const { table, diagnostics } = await vpc.load([vpc.worker("app", bindings)]);
    expect(diagnostics).toEqual([]);
    expect(["API", "NET", "MESH"].map((each) => ask(table, each))).toEqual([
      "destination_not_found",
      "destination_not_found",
      "* www.example:80",
    ]);
  });

  test("of a tunnel counts for its services, and for cf1:network unless that has its own", async () => {
    const networks = `"${TUNNEL_ID}": { "routes": { "*": "localhost:1" } },
  "${OTHER_TUNNEL_ID}": { "routes": { "www.example:443": "localhost:2" } }`;
    await using vpc = await createFolder({ "vpc.jsonc": `{ ${SERVICE}, "networks": { ${networks} } }` });
    const worker = vpc.worker("app", bindings);
    const shared = await vpc.load([worker]);
    expect(vpc.format(shared)).toEqual([]);
    expect(["API", "NET", "MESH"].map((each) => ask(shared.table, each))).toEqual(Array(3).fill("* localhost:1"));
    const mesh = `"${MESH_ID}": { "routes": { "*": { "deny": "http_request_denied" } } }`;
    await vpc.write("vpc.jsonc", `{ ${SERVICE}, "networks": { ${networks}, ${mesh} } }`);
    const own = await vpc.load([worker]);
    expect(vpc.format(own)).toEqual([]);
    expect(["API", "NET", "MESH"].map((each) => ask(own.table, each))).toEqual([
      "* localhost:1",
      "* localhost:1",
      "http_request_denied",
    ]);
  });

  test("of two tunnels is a conflict in cf1:network, where the first one wins", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "networks": {
  "${TUNNEL_ID}": { "routes": { "*": "localhost:1" } },
  "${OTHER_TUNNEL_ID}": { "routes": { "*": "localhost:2", "*:443": "localhost:3" } } } }`,
    });
    const loaded = await vpc.load([vpc.worker("app", [networkBinding("MESH", MESH_ID)])]);
    expect(vpc.format(loaded)).toEqual([
      'vpc.jsonc:3:57: warning: in cf1:network, "*" is overridden by "*" on line 2 [conflicting-routes]',
      '    To choose another target, add a route to "cf1:network" itself.',
    ]);
    expect(targetsOf(loaded.table, "app/MESH")).toEqual({ "*": 1, "*:443": 3 });
  });
});

test("two equal routes of one network are its own mistake, and no conflict in cf1:network", async () => {
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "networks": {
  "${TUNNEL_ID}": { "routes": { "*:443": "localhost:1", "*:443-443": "localhost:3" } } } }`,
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("MESH", MESH_ID)])]);
  expect(vpc.format(loaded).filter((line) => !line.startsWith(" "))).toEqual([
    expect.stringContaining('error: "*:443-443" is the same destination as "*:443"'),
  ]);
});

describe("worker: targets", () => {
  test("are Workers of the session, also with the environment's name appended", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "services": { "A": "worker:stand-in", "B": "worker:exact" } }`,
    });
    const app = vpc.worker("app-staging", [serviceBinding("A", "1"), serviceBinding("B", "2")]);
    const workers = [app, vpc.worker("stand-in-staging"), vpc.worker("exact"), vpc.worker("exact-staging")];
    const loaded = await vpc.load(workers, { env: "staging" });
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.table.bindings).toMatchObject({
      "app-staging/A": { service: { target: { type: "worker", workerName: "stand-in-staging" } } },
      "app-staging/B": { service: { target: { type: "worker", workerName: "exact" } } },
    });
  });

  test("an unknown one is reported once, and only if a binding of the session leads there", async () => {
    await using vpc = await createFolder({
      "vpc.jsonc": `{ "services": { "API": "worker:standin", "ELSEWHERE": "worker:nobody" },
  "networks": { "NET": { "routes": { "a": "worker:xyz" } } } }`,
    });
    const bindings = [serviceBinding("API"), networkBinding("NET"), networkBinding("MESH", MESH_ID)];
    const loaded = await vpc.load([
      vpc.worker("app", bindings),
      vpc.worker("stand-in"),
      vpc.worker("app2", [serviceBinding("API")]),
    ]);
    expect(vpc.format(loaded)).toEqual([
      'vpc.jsonc:1:24: error: the target "worker:standin" is not a Worker of this session [unknown-worker]',
      '    Did you mean "worker:stand-in"?',
      "    This session's Workers are app, stand-in, app2.",
      'vpc.jsonc:2:43: error: the target "worker:xyz" is not a Worker of this session [unknown-worker]',
      "    This session's Workers are app, stand-in, app2.",
    ]);
  });
});
