/** Pools of `pg` and `postgres` in a Worker, with Debian's PostgreSQL. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testSessions } from "../clients/postgres-cases.ts";
import { startScenarios, type Scenarios } from "../clients/start-scenarios.ts";
import { startDebianPostgres } from "./servers/postgres.ts";

describe.each([
  ["pg", "TCP"],
  ["pg", "a unix socket"],
  ["postgres", "TCP"],
  ["postgres", "a unix socket"],
])("%s over %s", (library, way) => {
  const stack = new AsyncDisposableStack();
  let worker: Scenarios;

  beforeAll(async () => {
    const server = stack.use(await startDebianPostgres());
    const target = way === "TCP" ? `127.0.0.1:${server.port}` : `unix:${server.socket}`;
    worker = stack.use(await startScenarios(library, { "db.internal:5432": target }));
  });
  afterAll(() => stack.disposeAsync());

  testSessions(() => worker);

  test("20 MB of rows", async () => {
    expect(await worker.run("large", { rows: "20000" })).toEqual({ rows: 20_000, length: 20_000_000 });
  });

  test("a parameter of 8 MB", async () => {
    expect(await worker.run("upload", { length: "8000000" })).toEqual({ length: 8_000_000, same: true });
  });

  test("a notification on an idle connection", async () => {
    expect(await worker.run("notify")).toBe("hello");
  });

  test("an error of the database, after which the pool still works", async () => {
    expect(await worker.run("sqlError")).toEqual({ code: "42703", next: 1 });
  });

  test("the end of a connection by the server, after which the pool still works", async () => {
    const { error, next } = await worker.run<{ error: string; next: number }>("terminated");
    // The library may read either of the two first.
    expect(error).toMatch(/terminating connection due to administrator command|CONNECTION_CLOSED/);
    expect(next).toBe(1);
  });
});

test("postgres with a cursor: 100 MB of rows for a slow reader", async () => {
  await using server = await startDebianPostgres();
  await using worker = await startScenarios("postgres", { "db.internal:5432": `127.0.0.1:${server.port}` });
  expect(await worker.run("slowReader", { rows: "10000" })).toEqual({ rows: 10_000, length: 100_000_000 });
});
