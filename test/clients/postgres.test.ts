/** `pg` and `postgres` in a Worker, with a PostgreSQL from npm. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres } from "../../fixtures/private-services/postgres.ts";
import { closedPort } from "../servers/tcp-server.ts";
import { testOneSession } from "./postgres-cases.ts";
import { type Scenarios, startScenarios } from "./start-scenarios.ts";

describe.each(["pg", "postgres"])("%s", (library) => {
  const stack = new AsyncDisposableStack();
  let worker: Scenarios;

  beforeAll(async () => {
    const database = stack.use(await startPostgres(0));
    const routes = {
      "db.internal:5432": `127.0.0.1:${database.port}`,
      "down.internal:5432": `127.0.0.1:${await closedPort()}`,
      "denied.internal": { deny: "destination_unavailable" },
    } as const;
    worker = stack.use(await startScenarios(library, routes));
  });
  afterAll(() => stack.disposeAsync());

  testOneSession(() => worker);

  test.each([
    ["down.internal", "connection_refused"],
    ["denied.internal", "destination_unavailable"],
    ["unknown.internal", "destination_not_found"],
  ])("without a connection to %s, the library rejects with %s at once", async (host, code) => {
    const failure = await worker.fail("connectTo", { host });
    expect(failure.thrown).toContain(`ProxyError: ${code}`);
    expect(failure.milliseconds).toBeLessThan(2000);
  });
});
