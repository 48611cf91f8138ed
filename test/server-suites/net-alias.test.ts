/** Libraries that don't accept a socket, with the aliases of `fixtures/client-libraries` and Debian's servers. */

import { expect, test } from "vitest";
import { type Failure, startScenarios } from "../clients/start-scenarios.ts";
import { closedPort } from "../servers/tcp-server.ts";
import type { Daemon } from "./servers/daemon.ts";
import { startMemcached } from "./servers/memcached.ts";
import { startNatsServer } from "./servers/nats.ts";
import { startRedisServer } from "./servers/redis.ts";
import { startSlapd } from "./servers/slapd.ts";

const LENGTH = 900_000;

interface Case {
  library: string;
  host: string;
  start: () => Promise<Daemon>;
  scenario: string;
  expected: unknown;
}

const cases: Case[] = [
  { library: "redis", host: "redis.internal", start: startRedisServer, scenario: "setAndGet", expected: LENGTH },
  { library: "memjs", host: "cache.internal", start: startMemcached, scenario: "setAndGet", expected: LENGTH },
  {
    library: "nats",
    host: "nats.internal",
    start: startNatsServer,
    scenario: "publish",
    expected: [`sensors.a ${LENGTH}`, `sensors.b ${LENGTH}`],
  },
  {
    library: "ldapts",
    host: "ldap.internal",
    start: startSlapd,
    scenario: "addAndSearch",
    expected: [{ dn: "dc=shop", o: "The Shop" }],
  },
];

test.each(cases)(
  "$library: $scenario, and refused connections",
  async ({ library, host, start, scenario, expected }) => {
    await using server = await start();
    const routes = { [host]: `127.0.0.1:${server.port}`, "down.internal": `127.0.0.1:${await closedPort()}` };
    await using worker = await startScenarios(library, routes);
    expect(await worker.run(scenario, { length: String(LENGTH) })).toEqual(expected);
    const refused: Failure = await worker.fail("connectTo", { host: "down.internal" });
    expect(refused.thrown).toContain("connection_refused");
    expect((await worker.fail("connectTo", { host: "unknown.internal" })).thrown).toContain("destination_not_found");
  },
);
