/** Hyperdrive configurations of the API, which `import` writes into "hyperdrive". */

import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "jsonc-parser";
import { expect, test } from "vitest";
import { createCallFolder } from "../commands/call.ts";
import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";

const ID = "0d1f6b5f2b6b4c3aa5f0c4d7b3c1e9aa";
const OTHER_ID = ID.replace("0d", "1d");
const WRANGLER = JSON.stringify({ name: "app", hyperdrive: [{ binding: "ORDERS", id: ID }] });

/** As `wrangler hyperdrive get` prints it, and as `result` of the API has it. */
const CONFIG = {
  id: ID,
  name: "orders-db",
  origin: { service_id: SERVICE_ID, database: "orders", user: "app", scheme: "postgres" },
  caching: { disabled: false },
  created_on: "2026-01-01T00:00:00Z",
};
const SERVICE = {
  service_id: SERVICE_ID,
  type: "tcp",
  name: "db",
  tcp_port: 5432,
  host: { hostname: "db.internal", resolver_network: { tunnel_id: TUNNEL_ID } },
};

test("a configuration and its service, in an empty folder, and again with what has changed", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "hyperdrive.json": JSON.stringify({ success: true, result: CONFIG }),
    "services.json": JSON.stringify({ success: true, result: [SERVICE] }),
  });
  const read = (): Promise<string> => readFile(path.join(vpc.folder, "vpc.jsonc"), "utf8");
  expect(await vpc.call("import services.json hyperdrive.json")).toEqual({
    exit: 0,
    err: [],
    out: [
      "vpc.jsonc: 1 service and 1 Hyperdrive entry written",
      `    added    "${SERVICE_ID}"  db`,
      `    added    "${ID}"  orders-db`,
      "",
      'Next: add a "target" to each service, or routes to its network.',
      'Type "miniflare-vpc check" to see what is missing.',
      "",
      "The API returns no passwords: set ORDERS_PASSWORD, in the environment. wrangler makes a variable of a .env file a binding of the Worker, too.",
    ],
  });
  const written = await read();
  expect(written).toContain(`
  "hyperdrive": {
    "${ID}": {
      "service": "${SERVICE_ID}",
      "database": "orders",
      "user": "app",
      "passwordEnv": "ORDERS_PASSWORD",
      "scheme": "postgresql"
    }
  }`);
  expect((await vpc.call("check")).out.concat((await vpc.call("check")).err).join("\n")).toContain(
    'the variable "ORDERS_PASSWORD", which "passwordEnv" names, is not set',
  );
  await vpc.write(".env", "ORDERS_PASSWORD=secret");
  expect((await vpc.call("check")).exit).toBe(0);
  expect((await vpc.call("import hyperdrive.json")).out).toEqual([
    "vpc.jsonc: nothing to write",
    `    same     "${ID}"  orders-db`,
  ]);
  await vpc.write("hyperdrive.json", JSON.stringify({ ...CONFIG, origin: { ...CONFIG.origin, user: "reader" } }));
  expect((await vpc.call("import hyperdrive.json")).out).toEqual([
    "vpc.jsonc: 1 Hyperdrive entry written",
    `    changed  "${ID}"  orders-db`,
    '        user: "app" → "reader"',
  ]);
  expect(await read()).toBe(written.replace('"user": "app"', '"user": "reader"'));
});

test("the entry and the service have the names of their bindings, and a comment and the password stay", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": JSON.stringify({
      name: "app",
      hyperdrive: [{ binding: "ORDERS", id: ID }],
      vpc_services: [{ binding: "PG", service_id: SERVICE_ID }],
    }),
    "hyperdrive.json": JSON.stringify([CONFIG]),
    "vpc.jsonc": `{
  "services": { "PG": "localhost:5432" },
  // mine
  "hyperdrive": { "ORDERS": { "service": "PG", "database": "old", "user": "app", "password": "p@ss", "scheme": "postgres" } }
}`,
  });
  expect((await vpc.call("import hyperdrive.json")).out).toEqual([
    "vpc.jsonc: 1 Hyperdrive entry written",
    '    changed  "ORDERS"  orders-db',
    '        database: "old" → "orders"',
  ]);
  const text = await readFile(path.join(vpc.folder, "vpc.jsonc"), "utf8");
  expect(text).toContain(
    '// mine\n  "hyperdrive": { "ORDERS": { "service": "PG", "database": "orders", "user": "app", "password": "p@ss"',
  );
});

test("a database that is behind no VPC Service, and a vpc config that is not edited", async () => {
  const { service_id: _, ...origin } = { ...CONFIG.origin, host: "db.example", port: 5432 };
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "public.json": JSON.stringify({ ...CONFIG, origin }),
    "private.json": JSON.stringify(CONFIG),
  });
  const { exit, err, out } = await vpc.call("import public.json");
  expect({ exit, out }).toEqual({ exit: 0, out: ["vpc.jsonc: nothing to write"] });
  expect(err).toEqual([
    expect.stringContaining(
      'warning: the Hyperdrive configuration "orders-db" reaches its database without a VPC Service, so it was not imported [hyperdrive-not-imported]',
    ),
    '    Give its binding a "localConnectionString", or write its entry yourself.',
  ]);
  await vpc.write("vpc.toml", "");
  const printed = await vpc.call("import private.json");
  expect(printed.exit).toBe(1);
  expect(printed.out).toEqual([
    `[hyperdrive."${ID}"]`,
    `service = "${SERVICE_ID}"`,
    'database = "orders"',
    'user = "app"',
    'passwordEnv = "DB_PASSWORD"',
    'scheme = "postgresql"',
  ]);
});

const BANNER = "\n ⛅️ wrangler 4.164.0 (update available 4.170.0)\n───────────────────────────────────────────────\n";

test.each([
  ["the whole output of wrangler", `${BANNER}${JSON.stringify(CONFIG, undefined, 2)}\n`, [ID]],
  [
    "two of them in one file, with Windows' line ends",
    [CONFIG, { ...CONFIG, id: OTHER_ID }]
      .map((config) => `${BANNER}${JSON.stringify(config, undefined, 2)}\n`)
      .join("")
      .replaceAll("\n", "\r\n"),
    [ID, OTHER_ID],
  ],
  [
    "what npm and PowerShell made of it",
    `\n> app@1.0.0 get\n> wrangler\n Γ¢à∩╕Å wrangler\n${JSON.stringify(CONFIG)}`,
    [ID],
  ],
])("wrangler hyperdrive get: %s", async (_, text, ids) => {
  await using vpc = await createCallFolder({ "wrangler.json": WRANGLER, "hyperdrive.txt": text });
  const { exit, err } = await vpc.call("import hyperdrive.txt");
  expect(exit).toBe(0);
  expect(err.filter((line) => line.includes("[")).every((line) => line.endsWith("[missing-service]"))).toBe(true);
  const written = parse(await readFile(path.join(vpc.folder, "vpc.jsonc"), "utf8"));
  expect(Object.keys(written.hyperdrive)).toEqual(ids);
});

test("an error in JSON under wrangler's banner is at its own line, and a text without JSON gets a hint", async () => {
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "broken.txt": `${BANNER}{\n  "id": \n}`,
    "other.txt": `${BANNER}nothing\n`,
  });
  expect((await vpc.call("import broken.txt")).err[0]).toMatch(/^broken\.txt:[56]:\d+: error/);
  const { exit, err } = await vpc.call("import other.txt");
  expect(exit).toBe(1);
  expect(err.join("\n")).toContain('or of "wrangler hyperdrive get"');
});

test("a configuration without its service: what else to import", async () => {
  await using vpc = await createCallFolder({ "wrangler.json": WRANGLER, "hyperdrive.json": JSON.stringify(CONFIG) });
  const { exit, err } = await vpc.call("import hyperdrive.json");
  expect({ exit, err }).toEqual({
    exit: 0,
    err: [
      expect.stringContaining(
        `warning: the Hyperdrive configuration "orders-db" leads to the service "${SERVICE_ID}", which "services" doesn't have [missing-service]`,
      ),
      `    Import it too: npx wrangler vpc service get ${SERVICE_ID} > service.txt. Or add "${SERVICE_ID}": "localhost:5432" to "services".`,
    ],
  });
});
