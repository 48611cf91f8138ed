/** Hyperdrive bindings in a Worker, with Debian's PostgreSQL and MariaDB, and a password that must be encoded in a URL. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testSessions } from "../clients/postgres-cases.ts";
import { type Scenarios, startHyperdrive } from "../clients/start-scenarios.ts";
import { closedPort } from "../servers/tcp-server.ts";
import { startMariadb } from "./servers/mariadb.ts";
import { startDebianPostgres } from "./servers/postgres.ts";

const PASSWORD = "p@ss/word";
/** Milliseconds. wrangler bundles the Worker first. */
const START = 180_000;

describe.each(["pg", "postgres"])("%s", (library) => {
  const stack = new AsyncDisposableStack();
  let worker: Scenarios;

  beforeAll(async () => {
    const { port } = stack.use(await startDebianPostgres(PASSWORD));
    const login = { database: "postgres", user: "postgres", password: PASSWORD, scheme: "postgresql" } as const;
    worker = stack.use(await startHyperdrive(library, login, { services: { database: `localhost:${port}` } }));
  }, START);
  afterAll(() => stack.disposeAsync());

  testSessions(() => worker);

  test("20 MB of rows, and a parameter of 8 MB", async () => {
    expect(await worker.run("large", { rows: "20000" })).toEqual({ rows: 20_000, length: 20_000_000 });
    expect(await worker.run("upload", { length: "8000000" })).toEqual({ length: 8_000_000, same: true });
  });

  test("the end of a connection by the server, after which the pool still works", async () => {
    const { error, next } = await worker.run<{ error: string; next: number }>("terminated");
    expect(error).toMatch(/terminating connection due to administrator command|CONNECTION_CLOSED/);
    expect(next).toBe(1);
  });
});

describe("mysql2", () => {
  const stack = new AsyncDisposableStack();
  let worker: Scenarios;

  beforeAll(async () => {
    const { port } = stack.use(await startMariadb(PASSWORD));
    const login = { database: "shop", user: "app", password: PASSWORD, scheme: "mysql" } as const;
    worker = stack.use(await startHyperdrive("mysql2", login, { services: { database: `localhost:${port}` } }));
  }, START);
  afterAll(() => stack.disposeAsync());

  test("a query with a parameter", async () => {
    expect(await worker.run("query")).toEqual([{ sum: 42, name: "shop" }]);
  });

  test("a prepared statement, used twice", async () => {
    expect(await worker.run("prepared")).toEqual({ answers: [2, 4], prepared: 1 });
  });

  test("other connections don't see an open transaction, and five at once work", async () => {
    expect(await worker.run("isolation")).toEqual({ during: [0, 0, 0], after: 1 });
    expect(await worker.run("concurrent")).toBe(5);
  });

  test("the end of a connection by the server, after which the pool still works", async () => {
    expect((await worker.run<{ next: number }>("terminated")).next).toBe(1);
  });
});

describe("without a database", () => {
  test.each([
    ["pg", "postgresql"],
    ["postgres", "postgresql"],
    ["mysql2", "mysql"],
  ] as const)("%s rejects with the code", { timeout: START }, async (library, scheme) => {
    const login = { database: "app", user: "app", password: PASSWORD, scheme };
    const services = { database: `localhost:${await closedPort()}` };
    await using worker = await startHyperdrive(library, login, { services });
    const failure = await worker.fail("query");
    expect(failure.thrown).toContain("ProxyError: connection_refused");
  });
});
