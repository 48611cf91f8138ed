/** What each command knows of Hyperdrive bindings. */

import { expect, test } from "vitest";
import { createCallFolder } from "./call.ts";

const ID = "0d1f6b5f2b6b4c3aa5f0c4d7b3c1e9aa";
const WRANGLER = JSON.stringify({
  name: "api",
  hyperdrive: [
    { binding: "DB", id: ID },
    { binding: "OWN", id: "own", localConnectionString: "postgres://me:secret@localhost/mine" },
  ],
});
const VPC = `{
  "services": { "orders-db": "localhost:5432" },
  "hyperdrive": { "DB": { "service": "orders-db", "database": "orders", "user": "app", "password": "p@ss/word" } }
}`;

test("explain: one destination, so none is named; the login without its password", async () => {
  await using vpc = await createCallFolder({ "wrangler.jsonc": WRANGLER, "vpc.jsonc": VPC });
  expect(await vpc.call("explain DB")).toEqual({
    exit: 0,
    err: [],
    out: [
      "env.DB",
      "",
      `binding    DB of Worker "api", Hyperdrive ${ID}`,
      'login      postgresql, user "app", database "orders"',
      'record     "orders-db" at FOLDER/vpc.jsonc:2:17',
      "           its target localhost:5432 is used, so no route applies",
      "target     localhost:5432",
      "transport  egress proxy, in the Node process",
    ],
  });
  const { out } = await vpc.call("explain DB --json");
  expect(JSON.parse(out.join("\n"))).toMatchObject({
    binding: { name: "DB", type: "hyperdrive", id: ID, worker: "api" },
    login: { scheme: "postgresql", user: "app", database: "orders" },
    outcome: "forwarded",
    target: "localhost:5432",
    transport: "egress",
  });
  expect(out.join("\n")).not.toContain("p@ss");
  expect((await vpc.call("explain OWN")).out.at(-1)).toBe(
    'wrangler   It has a connection string of its own, in "localConnectionString", which wins over the vpc config.',
  );
  for (const [name, destination] of [
    ["DB", "db.internal:5432"],
    ["OWN", "postgres://x"],
  ]) {
    const refused = await vpc.call(`explain ${name} ${destination}`);
    expect(refused.exit).toBe(2);
    expect(refused.err[0]).toContain(
      `"${name}" is a Hyperdrive binding, which leads to one database. Type "miniflare-vpc explain ${name}".`,
    );
  }
});

test("routes and check", async () => {
  await using vpc = await createCallFolder({ "wrangler.jsonc": WRANGLER, "vpc.jsonc": VPC });
  expect((await vpc.call("routes")).out).toEqual([
    "services",
    "    orders-db  → localhost:5432  FOLDER/vpc.jsonc:2:17  DB of api",
    "",
    "a connection string of its own, which wins over the vpc config",
    "    OWN of api  own",
  ]);
  const { exit, err } = await vpc.call("check");
  expect({ exit, err }).toEqual({ exit: 0, err: [] });
  await vpc.write("vpc.jsonc", VPC.replace('"DB": {', '"ELSEWHERE": {'));
  const checked = (await vpc.call("check")).out.concat((await vpc.call("check")).err).join("\n");
  expect(checked).toContain('no binding has the Hyperdrive entry "ELSEWHERE" [unbound-hyperdrive]');
  expect(checked).not.toContain("unbound-service");
});

test("init: a service and an entry, which check accepts once the variable is set", async () => {
  await using vpc = await createCallFolder({ "wrangler.jsonc": WRANGLER });
  expect((await vpc.call("init")).exit).toBe(0);
  expect((await vpc.call("routes")).err.join("\n")).toContain('the variable "DB_PASSWORD"');
  await vpc.write(".env", "DB_PASSWORD=secret");
  expect((await vpc.call("routes DB")).out[1]).toMatch(/^ {4}db-server {2}→ localhost:5432/);
});

const entry = (service: string): object => ({ service, database: "orders", user: "app", password: "x" });

test("check: an entry under the name is right if it serves another environment", async () => {
  const wrangler = {
    name: "api",
    hyperdrive: [{ binding: "DB", id: "a1" }],
    env: { production: { hyperdrive: [{ binding: "DB", id: "b1" }] } },
  };
  const both = { services: { db: "localhost:5432" }, hyperdrive: { DB: entry("db"), b1: entry("db") } };
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify(wrangler),
    "vpc.json": JSON.stringify(both),
  });
  expect(await vpc.call("check")).toMatchObject({ exit: 0, err: [] });
  expect((await vpc.call("check")).out.join("\n")).not.toContain("entry-twice");
  await vpc.write("vpc.json", JSON.stringify({ ...both, hyperdrive: { ...both.hyperdrive, a1: entry("db") } }));
  const { out, err } = await vpc.call("check");
  expect([...out, ...err].join("\n")).toMatch(/"DB" has a second entry, under its id on line 1 \[entry-twice\]/);
});

test.each([
  ["a wrong field", { service: "db", database: 1, user: "app", password: "x" }, "invalid-value"],
  ["a wrong service", entry("dbb"), "unknown-service"],
])("check: %s is the only problem, and not its service", async (_, broken, code) => {
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({ name: "api", hyperdrive: [{ binding: "DB", id: "a1" }] }),
    "vpc.json": JSON.stringify({ services: { db: "localhost:5432" }, hyperdrive: { DB: broken } }),
  });
  const { out, err } = await vpc.call("check");
  const said = [...out, ...err].join("\n");
  expect(said).toContain(`[${code}]`);
  expect(said).not.toContain("unbound-service");
});

test("check: an address in place of a service, and the one service for a new entry", async () => {
  const hyperdrive = [
    { binding: "DB", id: "a1" },
    { binding: "NEW", id: "b1" },
  ];
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({ name: "api", hyperdrive }),
    "vpc.json": JSON.stringify({ services: { pg: "localhost:5432" }, hyperdrive: { DB: entry("localhost:5432") } }),
  });
  const { out, err } = await vpc.call("check");
  const said = [...out, ...err].join("\n");
  expect(said).toContain(
    'Add "database": "localhost:5432" to "services", and write "service": "database", or name one of "pg".',
  );
  expect(said).toContain('Add "b1": { "service": "pg", "database"');
});
