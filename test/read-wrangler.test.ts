import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isDiagnostic } from "../plugin/diagnostics.ts";
import { parseDevArgs } from "../plugin/dev/dev-args.ts";
import { findConfigs } from "../plugin/dev/find-configs.ts";
import { findEnvironment } from "../plugin/dev/find-environment.ts";
import {
  activeSection,
  readVpcEntries,
  readWranglerConfig,
  type VpcEntries,
  workerNameOf,
} from "../plugin/dev/read-wrangler.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "read-wrangler-")));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

const TOML = `
name = "api"
compatibility_date = 2026-01-01
[vars]
big = 9007199254740991
at = [1979-05-27T07:32:00Z, 07:32:00]
"dotted.key" = { deep = true }
[[vpc_services]]
binding = "USERS"
service_id = "0199"
[[env.staging.vpc_networks]]
binding = "NET"
network_id = "cf1:network"
`;

const JSONC = `{
  // as above
  "name": "api", "compatibility_date": "2026-01-01",
  "vars": { "big": 9007199254740991, "at": ["1979-05-27T07:32:00Z", "07:32:00"], "dotted.key": { "deep": true } },
  "vpc_services": [{ "binding": "USERS", "service_id": "0199" }],
  "env": { "staging": { "vpc_networks": [{ "binding": "NET", "network_id": "cf1:network" },] } },
}`;

describe("a config that can be read", () => {
  test("is the same in each format", () => {
    const toml = readWranglerConfig(write("wrangler.toml", TOML));
    const locate: unknown = expect.any(Function);
    expect(toml).toEqual({
      file: path.join(folder, "wrangler.toml"),
      raw: expect.objectContaining({ name: "api" }),
      locate,
    });
    for (const name of ["wrangler.jsonc", "wrangler.json"]) {
      for (const mark of ["", "\uFEFF"]) {
        expect(readWranglerConfig(write(name, mark + JSONC))).toEqual({
          ...toml,
          file: path.join(folder, name),
          locate,
        });
      }
    }
  });
});

test("of a key given twice in JSON the last counts, as for wrangler", () => {
  const content = '{ "name": "a", "vars": { "A": 1 }, "name": "b", "vars": { "B": 2 } }';
  expect(readWranglerConfig(write("wrangler.json", content))).toMatchObject({ raw: { name: "b", vars: { B: 2 } } });
  expect(readWranglerConfig(write("wrangler.json", content))).not.toHaveProperty("raw.vars.A");
});

describe("a config that can't be read", () => {
  const cases: [name: string, content: string, at: object, text: string][] = [
    ["wrangler.toml", "a = 1\nb = = 2\n", { line: 2, column: 5 }, "not TOML: unexpected token"],
    ["wrangler.toml", "[env.staging\n", { line: 2 }, "not TOML: unterminated table-key"],
    ["wrangler.toml", "a = 1\na = 2\n", { line: 2 }, '"a" is given twice: here and on line 1'],
    ["wrangler.jsonc", '{\n  "a": 1\n  "b": 2\n}', { line: 3, column: 3 }, 'a comma is expected before "b"'],
    ["wrangler.json", "", { line: 1, column: 1 }, "a value is expected, but the end of the file stands here"],
    ["wrangler.json", "[]", {}, "it is an array, but must be an object"],
  ];
  test.each(cases)("%s %j", (name, content, at, text) => {
    const file = write(name, content);
    expect(readWranglerConfig(file)).toMatchObject({
      severity: "error",
      code: "wrangler-config-unreadable",
      text: `this wrangler config can't be read: ${text}`,
      file,
      ...at,
    });
  });

  test("because it is not there", () => {
    expect(readWranglerConfig(path.join(folder, "none.toml"))).toMatchObject({
      text: expect.stringContaining("ENOENT"),
      notes: [expect.stringContaining("--config")],
    });
  });
});

describe("VPC bindings", () => {
  test("of both kinds", () => {
    const section = {
      vpc_services: [
        { binding: "A", service_id: "1" },
        { binding: "B", service_id: "2", remote: true },
      ],
      vpc_networks: [
        { binding: "C", tunnel_id: "3" },
        { binding: "D", network_id: "cf1:network" },
      ],
    };
    expect(entriesOf(JSON.stringify(section))).toEqual({
      bindings: [
        { bindingName: "A", bindingType: "vpc-service", id: "1" },
        { bindingName: "B", bindingType: "vpc-service", id: "2" },
        { bindingName: "C", bindingType: "vpc-network", id: "3" },
        { bindingName: "D", bindingType: "vpc-network", id: "cf1:network" },
      ],
      diagnostics: [],
    });
  });

  const SERVICE_NOTE = 'Each of its entries has a "binding" and a "service_id".';
  const NETWORK_NOTE = 'Each of its entries has a "binding" and either a "tunnel_id" or a "network_id".';
  const refused: [section: string, problem: string, note: string][] = [
    ['"vpc_services": [{ "binding": "A" }]', 'the binding "A" lacks a "service_id"', SERVICE_NOTE],
    ['"vpc_services": [{ "service_id": "1" }]', 'this entry of "vpc_services" lacks a "binding"', SERVICE_NOTE],
    ['"vpc_services": [{ "binding": "A", "service_id": 1 }]', 'the "service_id" of the binding "A" is 1', SERVICE_NOTE],
    ['"vpc_services": ["A"]', 'this entry of "vpc_services" is "A", but must be an object', SERVICE_NOTE],
    [
      '"vpc_services": [{ "binding": "A", "service_id": "1", "remote": false }]',
      'the binding "A" has "remote" = false, which wrangler refuses',
      'Leave "remote" out: the binding is then served on this machine.',
    ],
    [
      '"vpc_networks": [{ "binding": "A", "tunnel_id": "1", "network_id": "2" }]',
      'the binding "A" has both "tunnel_id" and "network_id"',
      NETWORK_NOTE,
    ],
    ['"vpc_networks": [{ "binding": "A" }]', 'the binding "A" lacks a "tunnel_id" or "network_id"', NETWORK_NOTE],
    ['"vpc_networks": { "binding": "A" }', '"vpc_networks" is an object, but must be an array', NETWORK_NOTE],
  ];
  test.each(refused)("that wrangler refuses are left to it: %s", (section, problem, note) => {
    expect(entriesOf(`{ ${section} }`)).toEqual({
      bindings: [],
      diagnostics: [
        {
          severity: "warning",
          code: "binding-not-served",
          text: `${problem}; it is left to wrangler as it is`,
          file: path.join(folder, "wrangler.json"),
          line: 1,
          column: section.includes("[") ? 20 : 19,
          notes: [note],
        },
      ],
    });
  });

  test("of one name are refused by wrangler, but for the first", () => {
    const content = `{ "vpc_services": [{ "binding": "A", "service_id": "1" },
      { "binding": "A", "service_id": "2" }],
      "vpc_networks": [{ "binding": "A", "tunnel_id": "3" }, { "binding": "B", "tunnel_id": "4" }] }`;
    const twice = {
      severity: "warning",
      code: "binding-not-served",
      text: '"A" is a binding already, on line 1, which wrangler refuses; it is left to wrangler as it is',
      file: path.join(folder, "wrangler.json"),
      notes: ["Give one of them another name."],
    };
    expect(entriesOf(content)).toEqual({
      bindings: [
        { bindingName: "A", bindingType: "vpc-service", id: "1" },
        { bindingName: "B", bindingType: "vpc-network", id: "4" },
      ],
      diagnostics: [
        { ...twice, line: 2, column: 7 },
        { ...twice, line: 3, column: 24 },
      ],
    });
  });

  test("that wrangler refuses are shown where they stand, also under an environment and in TOML", () => {
    const toml = '[[env.staging.vpc_services]]\nbinding = "A"\n[[env.staging.vpc_services]]\nbinding = "B"\n';
    expect(entriesOf(toml, { name: "wrangler.toml", env: "staging" }).diagnostics).toMatchObject([
      { line: 1, text: expect.stringContaining('"A"') },
      { line: 3, text: expect.stringContaining('"B"') },
    ]);
  });
});

function entriesOf(content: string, { name = "wrangler.json", env }: { name?: string; env?: string } = {}): VpcEntries {
  const config = readWranglerConfig(write(name, content));
  if (isDiagnostic(config)) throw new Error(config.text);
  return readVpcEntries(config, env);
}

describe("environments", () => {
  const raw = { name: "api", env: { staging: { vars: {} }, production: { name: "live" } } };

  test("sections", () => {
    expect(activeSection(raw, undefined)).toBe(raw);
    expect(activeSection(raw, "staging")).toBe(raw.env.staging);
    expect(activeSection(raw, "unknown")).toBe(raw);
  });

  test("Workers' names", () => {
    expect(workerNameOf(raw, undefined)).toBe("api");
    expect(workerNameOf(raw, "staging")).toBe("api-staging");
    expect(workerNameOf(raw, "production")).toBe("live");
    expect(workerNameOf(raw, "unknown")).toBe("api-unknown");
    expect(workerNameOf({}, "staging")).toBeUndefined();
  });

  test("which one wrangler takes", () => {
    expect(pick([])).toBeUndefined();
    write(".env", "CLOUDFLARE_ENV=from-file");
    expect(pick([])).toBe("from-file");
    write(".env.local", "CLOUDFLARE_ENV=from-local-file");
    expect(pick([])).toBe("from-local-file");
    expect(pick(["--env-file", ".env"])).toBe("from-file");
    expect(pick([], { CLOUDFLARE_ENV: "from-process" })).toBe("from-process");
    mkdirSync(path.join(folder, "venv"));
    expect(pick(["--env-file", "venv"])).toBeUndefined();
    expect(pick(["-e", "from-argument"], { CLOUDFLARE_ENV: "from-process" })).toBe("from-argument");
    expect(pick(["--env="], { CLOUDFLARE_ENV: "from-process" })).toBeUndefined();
  });
});

describe("which configs wrangler takes", () => {
  test("none", () => {
    expect(find([])).toEqual([]);
  });

  test("the nearest of the first kind that exists, upwards", () => {
    const toml = write("a/b/wrangler.toml", "");
    const deep = path.join(folder, "a/b/c");
    mkdirSync(deep);
    expect(find([], deep)).toEqual([same(toml)]);
    const jsonc = write("a/wrangler.jsonc", "{}");
    expect(find([], deep)).toEqual([same(jsonc)]);
    const json = write("wrangler.json", "{}");
    expect(find([], deep)).toEqual([same(json)]);
    const nearer = write("a/b/c/wrangler.json", "{}");
    expect(find([], deep)).toEqual([same(nearer)]);
  });

  test("the one of the script's folder", () => {
    write("wrangler.toml", "");
    const file = write("api/wrangler.toml", "");
    expect(find(["api/src/index.ts"])).toEqual([same(file)]);
  });

  test("those that are named, in order, existing or not", () => {
    expect(find(["-c", "b.toml", "--config=../a.json"])).toEqual([
      same(path.join(folder, "b.toml")),
      same(path.resolve(folder, "../a.json")),
    ]);
  });

  test("the one a build tool redirects to", () => {
    const userFile = write("wrangler.toml", "");
    write(".wrangler/deploy/config.json", '{ "configPath": "../../dist/api/wrangler.json" }');
    expect(find([])).toEqual([{ file: path.join(folder, "dist/api/wrangler.json"), userFile }]);
    expect(find(["-c", "wrangler.toml"])).toEqual([same(userFile)]);
    write(".wrangler/deploy/config.json", "{}");
    expect(find([])).toMatchObject({ severity: "error", code: "wrangler-redirect-invalid" });
  });
});

function find(args: string[], cwd: string = folder): unknown {
  return findConfigs(parseDevArgs(args), cwd);
}

function same(file: string): object {
  return { file, userFile: file };
}

function pick(args: string[], processEnv: NodeJS.ProcessEnv = {}): string | undefined {
  return findEnvironment(parseDevArgs(args), { cwd: folder, processEnv });
}
