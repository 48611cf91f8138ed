/** A pool of `mysql2` in a Worker, with Debian's MariaDB. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { startScenarios, type Scenarios } from "../clients/start-scenarios.ts";
import { closedPort } from "../servers/tcp-server.ts";
import { startMariadb } from "./servers/mariadb.ts";

const stack = new AsyncDisposableStack();
let worker: Scenarios;

beforeAll(async () => {
  const server = stack.use(await startMariadb());
  const routes = {
    "db.internal": `127.0.0.1:${server.port}`,
    "down.internal:3306": `127.0.0.1:${await closedPort()}`,
  };
  worker = stack.use(await startScenarios("mysql2", routes));
});
afterAll(() => stack.disposeAsync());

test("a query with a parameter", async () => {
  expect(await worker.run("query")).toEqual([{ sum: 42, name: "shop" }]);
});

test("a prepared statement, used twice", async () => {
  expect(await worker.run("prepared")).toEqual({ answers: [2, 4], prepared: 1 });
});

test("other connections don't see an open transaction", async () => {
  expect(await worker.run("isolation")).toEqual({ during: [0, 0, 0], after: 1 });
});

test("five connections at once", async () => {
  expect(await worker.run("concurrent")).toBe(5);
});

test("20 MB of rows", async () => {
  expect(await worker.run("large", { rows: "20000" })).toEqual({ rows: 20_000, length: 20_000_000 });
});

test("a parameter of 8 MB", async () => {
  expect(await worker.run("upload", { length: "8000000" })).toBe(8_000_000);
});

test("an error of the database, after which the pool still works", async () => {
  expect(await worker.run("sqlError")).toEqual({ code: "ER_BAD_FIELD_ERROR", next: 1 });
});

test("the end of a connection by the server, after which the pool still works", async () => {
  const { next } = await worker.run<{ next: number }>("terminated");
  expect(next).toBe(1);
});

test.each([
  ["down.internal", "connection_refused"],
  ["unknown.internal", "destination_not_found"],
])("without a connection to %s, the library rejects with %s at once", async (host, code) => {
  const failure = await worker.fail("connectTo", { host });
  expect(failure.thrown).toContain(`ProxyError: ${code}`);
  expect(failure.milliseconds).toBeLessThan(2000);
});
