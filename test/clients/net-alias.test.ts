/** Libraries that don't accept a socket, with the aliases of `fixtures/client-libraries`, against small servers that speak their protocols. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAmqpLike } from "../servers/amqp-server.ts";
import { startNatsLike } from "../servers/nats-server.ts";
import { startRedisLike } from "../servers/redis-server.ts";
import { type TestServer, closedPort } from "../servers/tcp-server.ts";
import { type Scenarios, startScenarios } from "./start-scenarios.ts";

describe.each([
  ["redis", "redis.internal", 6379, startRedisLike, "setAndGet"],
  ["nats", "nats.internal", 4222, startNatsLike, "publish"],
  ["amqplib", "amqp.internal", 5672, startAmqpLike, "sendAndGet"],
] as const)("%s", (library, host, port, start, scenario) => {
  const stack = new AsyncDisposableStack();
  let worker: Scenarios;
  let server: TestServer;

  beforeAll(async () => {
    server = stack.use(await start());
    const routes = {
      // Only the binding can resolve these names.
      [`${host}:${port}`]: `127.0.0.1:${server.port}`,
      [`down.internal:${port}`]: `127.0.0.1:${await closedPort()}`,
    };
    worker = stack.use(await startScenarios(library, routes));
  });
  afterAll(() => stack.disposeAsync());

  test.each([5, 500_000])("%i bytes there and back", async (length) => {
    const expected = scenario === "publish" ? [`sensors.a ${length}`, `sensors.b ${length}`] : length;
    expect(await worker.run(scenario, { length: String(length) })).toEqual(expected);
  });

  test.each([
    ["down.internal", "connection_refused"],
    ["unknown.internal", "destination_not_found"],
  ])("without a connection to %s, the library reports %s at once", async (name, code) => {
    const failure = await worker.fail("connectTo", { host: name });
    expect(failure.thrown).toContain(code);
    expect(failure.milliseconds).toBeLessThan(2000);
  });

  // The other libraries have no scenario with TLS.
  test.each(library === "redis" ? ["tls"] : [])(
    "configured for %s, it fails with a message and dials nobody",
    async (name) => {
      const before = server.accepted;
      expect((await worker.fail(name)).thrown).toContain("a VPC binding carries plain TCP only");
      expect(server.accepted).toBe(before);
    },
  );
});
