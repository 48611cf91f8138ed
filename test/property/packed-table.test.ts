/** A table that has travelled to the service worker is the one that was sent. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { packTable, unpackTable } from "../../service-worker/routing/packed-table.ts";
import type { Route, RouteMatch, Target } from "../../service-worker/routing/table.ts";
import { loadTable } from "../../plugin/load.ts";
import { networkTable } from "../setup/network-table.ts";
import { TUNNEL_ID, networkBinding } from "../setup/vpc-folder.ts";
import { DEADLINE, runs } from "./runs.ts";

const match: fc.Arbitrary<RouteMatch> = fc.constantFrom<RouteMatch[]>(
  { type: "name", name: "a.internal" },
  { type: "wildcard", suffix: "internal" },
  { type: "cidr", address: "10.0.0.0", prefix: 8 },
  { type: "cidr", address: "fd00::1", prefix: 128 },
  { type: "any" },
);
const port = fc.constantFrom(1, 80, 65_535);
const ports = fc.option(fc.constantFrom({ from: 80, to: 80 }, { from: 80, to: 90 }, { from: 1, to: 65_535 }), {
  nil: undefined,
});
const target: fc.Arbitrary<Target> = fc.oneof(
  fc.record(
    { type: fc.constant("address"), host: fc.constantFrom("localhost", "::1"), port, scheme: fc.constant("https") },
    { requiredKeys: ["type", "host"] },
  ),
  fc.record({ type: fc.constant("address"), host: fc.constant("127.0.0.1"), port }),
  fc.constantFrom<Target[]>({ type: "passthrough" }, { type: "deny", code: "dns_error" }),
);

const route: fc.Arbitrary<Route> = fc
  .record({
    match,
    ports,
    target,
    text: fc.constantFrom("a.internal", "a.internal:80", "*", "*:80-90", "10.0.0.0/8", "A.internal"),
    origin: fc.constantFrom("vpc.jsonc:1:2", "vpc.jsonc:10:20", "compose.yaml:3:1", 'networks["a"].routes["b"]', ""),
    settings: fc.option(fc.constant({ verify: "disabled" as const }), { nil: undefined, freq: 8 }),
    composeService: fc.option(fc.constant("db"), { nil: undefined, freq: 8 }),
  })
  .map((given) => JSON.parse(JSON.stringify(given)) as Route);

describe("a packed table", { timeout: DEADLINE }, () => {
  test("is the same table when it is unpacked", () => {
    fc.assert(
      fc.property(fc.array(route, { maxLength: 30 }), fc.array(route, { maxLength: 3 }), (some, others) => {
        const table = networkTable({ NET: some, OTHER: others });
        expect(unpackTable(JSON.parse(JSON.stringify(packTable(table))))).toEqual(table);
      }),
      runs(1000),
    );
  });

  test("takes few bytes for a usual route, wherever its config comes from", async () => {
    const entries = Array.from({ length: 100 }, (_, nth) => [`host-${nth}.internal:80`, `127.0.0.1:${20_000 + nth}`]);
    const { table } = await loadTable({
      workers: [{ workerName: "app", rootPath: undefined, bindings: [networkBinding("NET")] }],
      source: { networks: { [TUNNEL_ID]: { routes: Object.fromEntries(entries) } } },
      env: undefined,
      generation: 1,
    });
    const [network] = packTable(table).networks;
    expect(network?.others).toEqual([]);
    expect(network?.usual.slice(0, 7)).toEqual([
      "host-0.internal",
      80,
      80,
      "",
      "127.0.0.1",
      20_000,
      '.routes["host-0.internal:80"]',
    ]);
  });
});
