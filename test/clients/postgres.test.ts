/** `pg` and `postgres` in a Worker, with a PostgreSQL from npm. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres } from "../../fixtures/private-services/postgres.ts";
import { closedPort } from "../servers/tcp-server.ts";
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

  test("a query with a parameter", async () => {
    expect(await worker.run("query")).toEqual([{ sum: 42, database: "postgres" }]);
  });

  test("a prepared statement, used twice", async () => {
    expect(await worker.run("prepared")).toEqual({ answers: [2, 4], prepared: 1 });
  });

  test("a rolled back transaction and a committed one", async () => {
    expect(await worker.run("transaction")).toBe(1);
  });

  test("2 MB of rows", async () => {
    expect(await worker.run("large", { rows: "2000" })).toEqual({ rows: 2000, length: 2_000_000 });
  });

  test("an error of the database, after which the connection still works", async () => {
    expect(await worker.run("sqlError")).toEqual({ code: "42703", next: 1 });
  });

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
