/** `pg` and `postgres` in a Worker with a Hyperdrive binding, as its documentation uses them, and a PostgreSQL from npm. */

import { afterAll, beforeAll, describe } from "vitest";
import { startPostgres } from "../../fixtures/private-services/postgres.ts";
import { testOneSession } from "../clients/postgres-cases.ts";
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

  testOneSession(() => worker);
});
