/** `pg` and `postgres` in a Worker with a Hyperdrive binding, as its documentation uses them, and a PostgreSQL from npm. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres } from "../../fixtures/private-services/postgres.ts";
import { type Scenarios, startHyperdrive } from "../clients/start-scenarios.ts";

const LOGIN = { database: "postgres", user: "postgres", password: "p@ss/word" };

describe.each(["pg", "postgres"])("%s", (library) => {
  const stack = new AsyncDisposableStack();
  let worker: Scenarios;

  beforeAll(async () => {
    const database = stack.use(await startPostgres(0));
    const vpc = { services: { database: `localhost:${database.port}` } };
    worker = stack.use(await startHyperdrive(library, LOGIN, vpc));
    // wrangler bundles the Worker, which takes long on a busy machine.
  }, 180_000);
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
});
