/** `miniflare-vpc init`: the written config, the output, and the files that it doesn't touch. */

import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { runCommandLine } from "../../plugin/commands/dispatch.ts";
import type { Diagnostic } from "../../plugin/diagnostics.ts";
import type { Whereabouts } from "../../plugin/system/whereabouts.ts";
import { ON_THE_HOST, inContainer } from "../setup/whereabouts.ts";
import { createInit } from "../../plugin/commands/init.ts";
import { SERVICE_ID, TUNNEL_ID, type VpcFolder, createFolder, hideFolder } from "../setup/vpc-folder.ts";

const DB_ID = "0199295b-b3ac-7760-8246-bca40877b3e9";

const WRANGLER = `name = "app"
vpc_services = [{ binding = "USERS_API", service_id = "${SERVICE_ID}" }]

[env.staging]
vpc_services = [
  { binding = "USERS", service_id = "${SERVICE_ID.toUpperCase()}" },
  { binding = "DB", service_id = "${DB_ID}" },
]
vpc_networks = [{ binding = "PRIVATE", tunnel_id = "${TUNNEL_ID}" }, { binding = "MESH", network_id = "cf1:network" }]
`;

const HEAD = `// Maps the private services of the wrangler config beside this file to addresses on this machine.
// "miniflare-vpc init" wrote it as a start. Correct the targets, then run "miniflare-vpc check --probe".
`;
const NEXT = [
  "",
  'Next: check the targets, which are guesses. Then type "miniflare-vpc check --probe" to see which of them answer,',
  'and "miniflare-vpc dev" to start.',
];

interface Called {
  exit: unknown;
  out: string[];
  err: string[];
}

async function call(
  vpc: VpcFolder,
  args: string[] = [],
  ports: number[] = [],
  whereabouts: Whereabouts = ON_THE_HOST,
): Promise<Called> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    cwd: vpc.folder,
    env: {},
    print: (text: string) => void out.push(...hideFolder(text, vpc.folder).split("\n")),
    printError: (text: string) => void err.push(...hideFolder(text, vpc.folder).split("\n")),
    paint: (_: unknown, text: string) => text,
  };
  const commands = [createInit(() => Promise.resolve(ports), whereabouts)];
  const exit = await runCommandLine(["init", ...args], { commands, version: "1.2.3" }, terminal);
  return { exit, out, err };
}

function read(vpc: VpcFolder, name: string): Promise<string> {
  return readFile(path.join(vpc.folder, name), "utf8");
}

/** All diagnostics that a session with this wrangler config would report, in all environments. */
async function check(vpc: VpcFolder): Promise<string> {
  const cli = path.resolve(import.meta.dirname, "../../dist/cli.js");
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "check", "--json"], { cwd: vpc.folder });
  return stdout;
}

test("an entry for each binding of every environment, with the reason for the guess", async () => {
  await using vpc = await createFolder({ "wrangler.toml": WRANGLER });
  expect(await call(vpc, [], [5432, 8080])).toEqual({
    exit: 0,
    out: [
      "Wrote vpc.jsonc:",
      "    env.USERS_API (top level), env.USERS (staging)  → http://localhost:8080  something listens there now",
      "    env.DB (staging)                                → localhost:5432  the name suggests PostgreSQL; something listens there now",
      '    env.PRIVATE (staging)                           no routes yet: add them to "routes"',
      '    env.MESH (staging)                              no routes yet: add them to "routes"',
      ...NEXT,
    ],
    err: [],
  });
  const examples = `      "routes": {
        // Each destination that the Worker asks for, and its address on this machine. For example:
        // "users.internal": "localhost:8080",
        // "*.internal": "localhost:3000",
        // "10.0.0.0/8": "passthrough",
      }
    }`;
  expect(await read(vpc, "vpc.jsonc")).toBe(`${HEAD}{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {
    // env.USERS_API (top level), env.USERS (staging): something listens there now
    "${SERVICE_ID}": "http://localhost:8080",
    // env.DB (staging): the name suggests PostgreSQL; something listens there now
    "${DB_ID}": "localhost:5432"
  },
  "networks": {
    // env.PRIVATE (staging)
    "${TUNNEL_ID}": {
${examples},
    // env.MESH (staging)
    "cf1:network": {
${examples.replace(
  "      }",
  `        // In production, this network also reaches public hosts:
        // "*": "passthrough",
      }`,
)}
  }
}
`);
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});

test("a compose file in the folder provides the targets and the routes", async () => {
  await using vpc = await createFolder({
    "wrangler.toml": WRANGLER,
    "node_modules/miniflare-vpc/package.json": "{}",
    "compose.yml": `services:
  users: { ports: ["3001:80"] }
  postgres: { image: "postgres", ports: ["127.0.0.1:5433:5432"] }
`,
    "docker-compose.override.yml": "services: { users: { ports: ['3002:81'] } }",
  });
  expect(await call(vpc)).toEqual({
    exit: 0,
    out: [
      "Wrote vpc.jsonc:",
      '    env.USERS_API (top level), env.USERS (staging)  → http://localhost:3001  the compose service "users" publishes it',
      '    env.DB (staging)                                → localhost:5433  the compose service "postgres" publishes it',
      "    env.PRIVATE (staging)                           the services of compose.yml and docker-compose.override.yml",
      '    env.MESH (staging)                              no routes yet: add them to "routes"',
      ...NEXT,
    ],
    err: [],
  });
  expect(await read(vpc, "vpc.jsonc")).toContain(`    "${TUNNEL_ID}": {
      // The Worker reaches each published service by its name and its container port.
      "compose": ["./compose.yml", "./docker-compose.override.yml"],
      "routes": {
`);
  // This machine may be a container.
  const { diagnostics }: { diagnostics: Diagnostic[] } = JSON.parse(await check(vpc));
  expect(diagnostics.filter(({ code }) => code !== "compose-unresolved")).toEqual([]);
});

test("in a container of their network, the comment says so", async () => {
  const files = { "wrangler.toml": WRANGLER, "compose.yml": `services: { users: { expose: [80] } }` };
  await using vpc = await createFolder(files);
  expect((await call(vpc, [], [], inContainer("users"))).exit).toBe(0);
  expect(await read(vpc, "vpc.jsonc")).toContain(`
      // This is a container of their network: the Worker reaches each service by its name and its port.
      "compose": "./compose.yml",
`);
});

test("a broken compose file is ignored", async () => {
  await using vpc = await createFolder({ "wrangler.toml": WRANGLER, "compose.yaml": "services: [" });
  expect((await call(vpc)).exit).toBe(0);
  expect(await read(vpc, "vpc.jsonc")).not.toContain("compose");
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});

test("two Workers in two folders: a config beside each, with the schema of the nearest installation", async () => {
  await using vpc = await createFolder({
    "node_modules/miniflare-vpc/package.json": "{}",
    "a/wrangler.json": `{ "vpc_services": [{ "binding": "A", "service_id": "${SERVICE_ID}" }] }`,
    "b/wrangler.json": `{ "vpc_networks": [{ "binding": "B", "tunnel_id": "${TUNNEL_ID}" }] }`,
    "c/wrangler.json": "{}",
  });
  const { exit, out } = await call(vpc, ["-c", "a/wrangler.json", "-c", "b/wrangler.json", "-c", "c/wrangler.json"]);
  expect({ exit, wrote: out.filter((line) => line.startsWith("Wrote")) }).toEqual({
    exit: 0,
    wrote: ["Wrote a/vpc.jsonc:", "Wrote b/vpc.jsonc:"],
  });
  expect(await read(vpc, "a/vpc.jsonc")).toBe(`${HEAD}{
  "$schema": "../node_modules/miniflare-vpc/vpc.schema.json",
  "services": {
    // env.A: nothing listens there yet
    "${SERVICE_ID}": "http://localhost:3000"
  }
}
`);
  expect(await readdir(path.join(vpc.folder, "c"))).toEqual(["wrangler.json"]);
});

describe("an existing vpc config", () => {
  test.each(["vpc.jsonc", "vpc.json"])("%s stays without --force", async (name) => {
    await using vpc = await createFolder({ "wrangler.toml": WRANGLER, [name]: "{}" });
    expect(await call(vpc)).toEqual({
      exit: 1,
      out: [],
      err: [`${name} already exists. "--force" replaces it; "miniflare-vpc check" shows what is missing.`],
    });
    expect(await read(vpc, name)).toBe("{}");
    expect((await call(vpc, ["--force"])).exit).toBe(0);
    expect(await read(vpc, name)).toContain(SERVICE_ID);
    expect((await readdir(vpc.folder)).toSorted()).toEqual([name, "wrangler.toml"].toSorted());
  });

  test.each(["vpc.toml", "vpc.config.ts"])("%s is never replaced", async (name) => {
    await using vpc = await createFolder({ "wrangler.toml": WRANGLER, [name]: "" });
    expect(await call(vpc, ["--force"])).toEqual({
      exit: 1,
      out: [],
      err: [`${name} already exists, and a folder can have only one vpc config. To get a vpc.jsonc, remove it first.`],
    });
    expect((await readdir(vpc.folder)).toSorted()).toEqual([name, "wrangler.toml"].toSorted());
  });
});

test.each([
  [
    "no bindings",
    { "wrangler.json": "{}" },
    1,
    'There are no VPC bindings in wrangler.json, so there is nothing to write. Add some to "vpc_services", "vpc_networks" or "hyperdrive".',
  ],
  [
    "a broken wrangler config",
    { "wrangler.json": "{ oops" },
    1,
    "wrangler.json:1:3: error: this wrangler config can't be read: oops is not JSON [wrangler-config-unreadable]",
  ],
])("%s", async (_, files, exit, first) => {
  await using vpc = await createFolder(files);
  const called = await call(vpc);
  expect({ ...called, err: called.err[0] }).toEqual({ exit, out: [], err: first });
});

test("an invalid binding is reported, and a name with a line break stays on one line", async () => {
  await using vpc = await createFolder({
    "wrangler.json": `{
  "vpc_services": [{ "binding": "A" }],
  "env": { "x\\ny": { "vpc_services": [{ "binding": "B", "service_id": "${SERVICE_ID}" }] } } }`,
  });
  const { exit, out, err } = await call(vpc);
  expect({ exit, out: out[1], err: err[0] }).toEqual({
    exit: 0,
    out: "    env.B (x y)  → http://localhost:3000  nothing listens there yet",
    err: 'wrangler.json:2:20: warning: the binding "A" lacks a "service_id"; it is left to wrangler unchanged [binding-not-served]',
  });
});

test("the built command line writes a config that passes check", async () => {
  await using vpc = await createFolder({ "wrangler.toml": WRANGLER });
  const cli = path.resolve(import.meta.dirname, "../../dist/cli.js");
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "init"], { cwd: vpc.folder });
  expect(stdout).toMatch(/^Wrote vpc\.jsonc:\n/);
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});

test("Hyperdrive bindings of the same name in several environments share their server", async () => {
  const first = { hyperdrive: [{ binding: "DB", id: "a1" }] };
  const wrangler = {
    name: "app",
    ...first,
    env: { production: { hyperdrive: [{ binding: "DB", id: "b1" }] }, test: first },
  };
  await using vpc = await createFolder({
    "wrangler.json": JSON.stringify(wrangler),
    ".env": "DB_PASSWORD=secret",
  });
  expect((await call(vpc)).exit).toBe(0);
  const text = await read(vpc, "vpc.jsonc");
  expect(text).toContain(`  "services": {
    // env.DB (top level, test), env.DB (production), by "hyperdrive": the name suggests PostgreSQL; nothing listens there yet
    "db-server": "localhost:5432"
  },`);
  expect(text.match(/"service": "db-server"/g)).toHaveLength(2);
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});

test("Hyperdrive bindings whose names differ in their letters' case have a server each if their targets differ", async () => {
  const hyperdrive = [
    { binding: "usersDb", id: "a1" },
    { binding: "USERSDB", id: "b1" },
  ];
  await using vpc = await createFolder({
    "wrangler.json": JSON.stringify({ name: "app", hyperdrive }),
    "compose.yml": `services:
  users: { ports: ["5433:5432"] }
  usersdb: { ports: ["5434:5432"] }
`,
    ".env": "USERSDB_PASSWORD=secret",
  });
  expect((await call(vpc)).exit).toBe(0);
  const text = await read(vpc, "vpc.jsonc");
  expect(text).toContain('"usersdb-server": "localhost:5433"');
  expect(text).toContain('"usersdb-server-2": "localhost:5434"');
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});

test("a Hyperdrive binding gets the database of a MySQL service of the compose file, and its login", async () => {
  await using vpc = await createFolder({
    "wrangler.json": JSON.stringify({ name: "app", hyperdrive: [{ binding: "DB", id: "a1" }] }),
    "compose.yml": `services:
  orders: { image: "mysql:8", ports: ["3307:3306"], environment: { MYSQL_DATABASE: shop, MYSQL_USER: shopper } }
`,
    ".env": "DB_PASSWORD=secret",
  });
  expect((await call(vpc)).exit).toBe(0);
  const text = await read(vpc, "vpc.jsonc");
  expect(text).toContain('"db-server": "localhost:3307"');
  expect(text).toContain(`      "database": "shop",
      "user": "shopper",
      "passwordEnv": "DB_PASSWORD",
      "scheme": "mysql"`);
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});
