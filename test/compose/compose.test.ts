/** `"compose"` in a vpc config: the routes of compose files, their origin, and the diagnostics. */

import path from "node:path";

import { describe, expect, onTestFinished, test, vi } from "vitest";

import type { Route } from "../../service-worker/routing/table.ts";
import { broken } from "./broken.ts";
import { files } from "./files.ts";
import { from } from "./from.ts";
import { hosts } from "./hosts.ts";
import { ports } from "./ports.ts";
import { tooLarge } from "./too-large.ts";
import { variables } from "./variables.ts";
import type { ComposeCase } from "./case.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { TUNNEL, startTestWorker } from "../setup/test-worker.ts";
import { networkOf } from "../setup/network-table.ts";
import { ON_THE_HOST, readIn } from "../setup/whereabouts.ts";
import { createFolder, networkBinding } from "../setup/vpc-folder.ts";

const tables: Record<string, ComposeCase[]> = { ports, hosts, from, variables, files, broken, "too large": tooLarge };

describe.each(Object.entries(tables))("%s", (_, cases) => {
  test.each(cases)("$title", async ({ files: given, compose = "compose.yaml", routes = {}, ...row }) => {
    const { environment = {}, diagnostics = [], expected, whereabouts = ON_THE_HOST } = row;
    for (const [name, value] of Object.entries(environment)) setVariable(name, value);
    const config = { networks: { NET: { compose, routes } } };
    await using vpc = await createFolder({
      "vpc.json": JSON.stringify(config),
      ...(typeof given === "string" ? { "compose.yaml": given } : given),
    });
    const workers = [vpc.worker("app", [networkBinding("NET")])];
    const loaded = await vpc.load(workers, { readModel: readIn(whereabouts) });
    expect(vpc.format(loaded)).toEqual(diagnostics);
    expect((networkOf(loaded.table, "app/NET")?.routes ?? []).map(lineOf)).toEqual(expected);
  });
});

test("a route says where it comes from; `files` lists every file, including those that don't exist yet", async () => {
  await using vpc = await createFolder({
    "vpc.toml": `[networks.NET]
compose = ["compose.yaml", "stack/more.yaml"]
routes = { "own" = "localhost:1" }
`,
    "compose.yaml": 'services:\n  db:\n    ports:\n      - "5432:5432"\n',
    "stack/more.yaml":
      "include: [inner/a.yaml]\nservices: { web: { ports: ['80:80'], extends: { service: x, file: b.yaml } } }",
    "inner/a.yaml": "services: { a: { ports: ['81:81'] } }",
    "b.yaml": "services: { x: {} }",
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
  expect(vpc.format(loaded)).toEqual([]);
  const at = (name: string): string => path.join(vpc.folder, name);
  expect((networkOf(loaded.table, "app/NET")?.routes ?? []).map(({ text, origin }) => [text, origin])).toEqual([
    ["own", `${at("vpc.toml")}:3:12`],
    ["db:5432", `${at("compose.yaml")}:4:9`],
    ["a:81", `${at("inner/a.yaml")}:1:26`],
    ["web:80", `${at("stack/more.yaml")}:2:28`],
  ]);
  expect(loaded.files).toEqual(
    expect.arrayContaining(
      ["vpc.toml", "compose.yaml", ".env", "stack/more.yaml", "inner/a.yaml", "inner/.env", "b.yaml"].map(at),
    ),
  );
});

test("a file that is not UTF-8", async () => {
  await using vpc = await createFolder({ "vpc.json": '{ "networks": { "NET": { "compose": "compose.yaml" } } }' });
  // PowerShell writes redirected output like this.
  await vpc.write(".env", Buffer.from("\uFEFFPORT=80\r\n", "utf16le"));
  await vpc.write("compose.yaml", Buffer.from("\uFEFFservices: { a: { ports: ['80:80'] } }\r\n", "utf16le"));
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
  expect(vpc.format(loaded)).toEqual([
    ".env: warning: the file can't be read: it is UTF-16, but must be UTF-8 [invalid-env-file]",
    "    Save it as UTF-8.",
    'vpc.json:1:37: error: the compose file "compose.yaml" can\'t be read: it is UTF-16, but must be UTF-8 [compose-unreadable]',
    "    Save it as UTF-8.",
    "    Its full path is FOLDER/compose.yaml.",
  ]);
});

test("cf1:network includes compose routes", async () => {
  await using vpc = await createFolder({
    "vpc.json": `{ "networks": {
  "A": { "compose": "a.yaml" },
  "B": { "compose": ["a.yaml", "b.yaml"], "routes": { "own": "localhost:1" } },
  "C": { "routes": { "db:1": "localhost:2" } } } }`,
    "a.yaml": `services: { db: { ports: ["5432:1"] }, jobs: {} }`,
    "b.yaml": `services: { web: { ports: ["80:80"] } }`,
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("MESH", "cf1:network")])]);
  expect(vpc.format(loaded)).toEqual([
    'a.yaml:1:40: warning: the service "jobs" publishes no port, so no route leads to it [compose-unpublished]',
    '    Add ports: ["127.0.0.1:8080:8080"] to it, with the port that it listens on.',
    'vpc.json:4:22: warning: in cf1:network, "db:1" is overridden by "db:1" on FOLDER/a.yaml:1:27 [conflicting-routes]',
    '    To choose another target, add a route to "cf1:network" itself.',
  ]);
  expect((networkOf(loaded.table, "app/MESH")?.routes ?? []).map(lineOf)).toEqual([
    "db:1 → 127.0.0.1:5432",
    "own → localhost:1",
    "web:80 → 127.0.0.1:80",
  ]);
});

const FILE = "but must be the name of a compose file";
const FORMS = `${FILE}, or an array of them`;

test.each<[string, string[]]>([
  ["5", [`37: error: "compose" is 5, ${FORMS}`]],
  ['""', [`37: error: "compose" is "", ${FILE}`]],
  ['["a.yaml", 3, ""]', [`48: error: "compose[1]" is 3, ${FILE}`, `51: error: "compose[2]" is "", ${FILE}`]],
  ['{ "files": 5 }', [`48: error: "files" is 5, ${FORMS}`]],
  ['{ "files": ["a.yaml", ""] }', [`59: error: "files[1]" is "", ${FILE}`]],
])('"compose": %s', async (written, problems) => {
  await using vpc = await createFolder({ "vpc.json": `{ "networks": { "NET": { "compose": ${written} } } }` });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
  expect(vpc.format(loaded)).toEqual(
    problems.flatMap((problem) => [
      `vpc.json:1:${problem} [invalid-value]`,
      '    Write "compose.yaml": a path from the folder of the vpc config.',
    ]),
  );
});

test.each<[string, string[]]>([
  [
    '{ "file": "a.yaml" }',
    [
      '26: error: "compose" lacks "files" [missing-field]',
      '    Add "files": the name of a compose file, or an array of them.',
      '39: error: "file" is not a field of "compose" [unknown-field]',
      '    Did you mean "files"?',
    ],
  ],
  [
    '{ "files": "a.yaml", "from": "inside" }',
    ['66: error: "from" is "inside", but must be "host", "network" or "auto" [invalid-value]'],
  ],
])('"compose": %s', async (written, problems) => {
  await using vpc = await createFolder({
    "vpc.json": `{ "networks": { "NET": { "compose": ${written} } } }`,
    "a.yaml": "services: { a: { ports: ['80:80'] } }",
  });
  const loaded = await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
  expect(vpc.format(loaded)).toEqual(problems.map((problem) => problem.replace(/^(?=\d)/, "vpc.json:1:")));
});

test("an edit of a compose file or its .env takes effect at once; a broken edit keeps the last good config", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "networks": { "${TUNNEL}": { "compose": "./stack/compose.yaml" } } }`,
    "stack/compose.yaml": `services: { api: { ports: ["${a.port}:80"] } }`,
  });
  await using worker = await startTestWorker({
    config: path.join(vpc.folder, "vpc.jsonc"),
    ops: { get: async (env) => (await env.NET.fetch("http://api/")).text() },
  });
  const answers = (text: string): Promise<void> =>
    vi.waitFor(async () => expect(await worker.call("get")).toBe(text), { interval: 5, timeout: 5000 });
  await answers("a");
  await vpc.write("stack/compose.yaml", `services: { api: { ports: ["\${PORT:-${b.port}}:80"] } }`);
  await answers("b");
  await vpc.write("stack/.env", `PORT=${a.port}`);
  await answers("a");
  await vpc.write("stack/compose.yaml", `services: { api: { ports: ["${b.port}:http"] } }`);
  await vi.waitFor(() => expect(worker.output()).toContain("the last good one stays in force"));
  await answers("a");
});

function lineOf({ text, target }: Route): string {
  if (target.type !== "address") throw new Error(`${text} leads to ${target.type}`);
  return `${text} → ${[target.host, target.port].filter((part) => part !== undefined).join(":")}`;
}

function setVariable(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}
