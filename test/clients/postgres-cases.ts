/** What `pg` and `postgres` do in a Worker, however they get their connection. Each test runs a scenario of `workers/`. */

import { expect, test } from "vitest";
import type { Scenarios } from "./start-scenarios.ts";

/** @param worker called when a test runs */
export function testQueries(worker: () => Scenarios): void {
  test("a query with a parameter", async () => {
    expect(await worker().run("query")).toEqual([{ sum: 42, database: "postgres" }]);
  });

  test("a prepared statement, used twice", async () => {
    expect(await worker().run("prepared")).toEqual({ answers: [2, 4], prepared: 1 });
  });
}

/** For a PostgreSQL from npm, which has one session. */
export function testOneSession(worker: () => Scenarios): void {
  testQueries(worker);

  test("a rolled back transaction and a committed one", async () => {
    expect(await worker().run("transaction")).toBe(1);
  });

  test("2 MB of rows", async () => {
    expect(await worker().run("large", { rows: "2000" })).toEqual({ rows: 2000, length: 2_000_000 });
  });

  test("an error of the database, after which the connection still works", async () => {
    expect(await worker().run("sqlError")).toEqual({ code: "42703", next: 1 });
  });
}

/** For a whole server. */
export function testSessions(worker: () => Scenarios): void {
  testQueries(worker);

  test("other connections don't see an open transaction", async () => {
    expect(await worker().run("isolation")).toEqual({ during: [0, 0, 0], after: 1 });
  });

  test("five connections at once", async () => {
    expect(await worker().run("concurrent")).toEqual({ size: 5, backends: 5 });
  });
}
