/** `miniflare-vpc init`: what is written, what is printed, and what is left alone. */

import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { runCommandLine } from "../../plugin/commands/dispatch.ts";
import { createInit } from "../../plugin/commands/init.ts";
import { SERVICE_ID, TUNNEL_ID, type VpcFolder, createFolder } from "../vpc-folder.ts";

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

const HEAD = `// Where the private services of the wrangler config beside this file are on this machine.
// Written by "miniflare-vpc init", and yours from here on: correct the targets, then type "miniflare-vpc check --probe".
`;
const NEXT = [
  "",
  'Next: the targets are guesses, so look them over. Then type "miniflare-vpc check --probe" to see what answers,',
  'and "miniflare-vpc dev" to run.',
];

interface Called {
  exit: unknown;
  out: string[];
  err: string[];
}

async function call(vpc: VpcFolder, args: string[] = [], ports: number[] = []): Promise<Called> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    cwd: vpc.folder,
    env: {},
    print: (text: string) => void out.push(...text.replaceAll(vpc.folder, "FOLDER").split("\n")),
    printError: (text: string) => void err.push(...text.replaceAll(vpc.folder, "FOLDER").split("\n")),
    paint: (_: unknown, text: string) => text,
  };
  const commands = [createInit(() => Promise.resolve(ports))];
  const exit = await runCommandLine(["init", ...args], { commands, version: "1.2.3" }, terminal);
  return { exit, out, err };
}

function read(vpc: VpcFolder, name: string): Promise<string> {
  return readFile(path.join(vpc.folder, name), "utf8");
}

/** Every mistake that a session with the wrangler config at hand would report, in all environments. */
async function check(vpc: VpcFolder): Promise<string> {
  const cli = path.resolve(import.meta.dirname, "../../dist/cli.js");
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "check", "--json"], { cwd: vpc.folder });
  return stdout;
}

test("an entry for each binding of every environment, with what the guess rests on", async () => {
  await using vpc = await createFolder({ "wrangler.toml": WRANGLER });
  expect(await call(vpc, [], [5432, 8080])).toEqual({
    exit: 0,
    out: [
      "Wrote vpc.jsonc:",
      "    env.USERS_API (top level), env.USERS (staging)  → http://localhost:8080  something listens there now",
      "    env.DB (staging)                                → localhost:5432  PostgreSQL, by the name; something listens there now",
      '    env.PRIVATE (staging)                           no routes yet: write them into "routes"',
      '    env.MESH (staging)                              no routes yet: write them into "routes"',
      ...NEXT,
    ],
    err: [],
  });
  const examples = `      "routes": {
        // What the Worker asks for, and where that is here. For example:
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
    // env.DB (staging): PostgreSQL, by the name; something listens there now
    "${DB_ID}": "localhost:5432"
  },
  "networks": {
    // env.PRIVATE (staging)
    "${TUNNEL_ID}": {
${examples},
    // env.MESH (staging)
    "cf1:network": {
${examples}
  }
}
`);
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});

test("a compose file in the folder gives the services and the routes", async () => {
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
      '    env.MESH (staging)                              no routes yet: write them into "routes"',
      ...NEXT,
    ],
    err: [],
  });
  expect(await read(vpc, "vpc.jsonc")).toContain(`    "${TUNNEL_ID}": {
      // Each service of it is reached by its name, at the port it publishes.
      "compose": ["./compose.yml", "./docker-compose.override.yml"],
      "routes": {
`);
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});

test("a compose file that is broken is left out", async () => {
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

describe("a vpc config that is there", () => {
  test.each(["vpc.jsonc", "vpc.json"])("%s stays without --force", async (name) => {
    await using vpc = await createFolder({ "wrangler.toml": WRANGLER, [name]: "{}" });
    expect(await call(vpc)).toEqual({
      exit: 1,
      out: [],
      err: [`${name} is there already. "--force" replaces it; "miniflare-vpc check" tells what it lacks.`],
    });
    expect(await read(vpc, name)).toBe("{}");
    expect((await call(vpc, ["--force"])).exit).toBe(0);
    expect(await read(vpc, name)).toContain(SERVICE_ID);
    expect((await readdir(vpc.folder)).toSorted()).toEqual([name, "wrangler.toml"].toSorted());
  });

  test.each(["vpc.toml", "vpc.config.ts"])("%s stays in any case", async (name) => {
    await using vpc = await createFolder({ "wrangler.toml": WRANGLER, [name]: "" });
    expect(await call(vpc, ["--force"])).toEqual({
      exit: 1,
      out: [],
      err: [`${name} is there already, and a folder has one vpc config. Remove it if it is a vpc.jsonc that you want.`],
    });
    expect((await readdir(vpc.folder)).toSorted()).toEqual([name, "wrangler.toml"].toSorted());
  });
});

test.each([
  [
    "no bindings",
    { "wrangler.json": "{}" },
    1,
    'There are no VPC bindings in wrangler.json, so there is nothing to write. They stand under "vpc_services" and "vpc_networks".',
  ],
  [
    "a wrangler config that is broken",
    { "wrangler.json": "{ oops" },
    1,
    "wrangler.json:1:3: error: this wrangler config can't be read: oops is not JSON [wrangler-config-unreadable]",
  ],
])("%s", async (_, files, exit, first) => {
  await using vpc = await createFolder(files);
  const called = await call(vpc);
  expect({ ...called, err: called.err[0] }).toEqual({ exit, out: [], err: first });
});

test("what is left out of it is told, and a name is kept on its line", async () => {
  await using vpc = await createFolder({
    "wrangler.json": `{
  "vpc_services": [{ "binding": "A" }],
  "env": { "x\\ny": { "vpc_services": [{ "binding": "B", "service_id": "${SERVICE_ID}" }] } } }`,
  });
  const { exit, out, err } = await call(vpc);
  expect({ exit, out: out[1], err: err[0] }).toEqual({
    exit: 0,
    out: "    env.B (x y)  → http://localhost:3000  nothing listens there yet",
    err: 'wrangler.json:2:20: warning: the binding "A" lacks a "service_id"; it is left to wrangler as it is [binding-not-served]',
  });
});

test("the built command line writes a config that check has nothing to say against", async () => {
  await using vpc = await createFolder({ "wrangler.toml": WRANGLER });
  const cli = path.resolve(import.meta.dirname, "../../dist/cli.js");
  const { stdout } = await promisify(execFile)(process.execPath, [cli, "init"], { cwd: vpc.folder });
  expect(stdout).toMatch(/^Wrote vpc\.jsonc:\n/);
  expect(JSON.parse(await check(vpc))).toMatchObject({ diagnostics: [] });
});
