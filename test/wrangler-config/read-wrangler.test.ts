import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isDiagnostic } from "../../plugin/diagnostics.ts";
import { parseDevArgs } from "../../plugin/wrangler-config/dev-args.ts";
import { findConfigs } from "../../plugin/wrangler-config/find-configs.ts";
import { findEnvironment, pickEnvironment } from "../../plugin/wrangler-config/find-environment.ts";
import {
  activeSection,
  readVpcEntries,
  readWranglerConfig,
  type VpcEntries,
  workerNameOf,
} from "../../plugin/wrangler-config/read-wrangler.ts";

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
  // the same as the TOML
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

test("if a key is given twice in JSON, the last one wins, as in wrangler", () => {
  const content = '{ "name": "a", "vars": { "A": 1 }, "name": "b", "vars": { "B": 2 } }';
  expect(readWranglerConfig(write("wrangler.json", content))).toMatchObject({ raw: { name: "b", vars: { B: 2 } } });
  expect(readWranglerConfig(write("wrangler.json", content))).not.toHaveProperty("raw.vars.A");
});

describe("a config that can't be read", () => {
  const cases: [name: string, content: string, at: object, text: string][] = [
    ["wrangler.toml", "a = 1\nb = = 2\n", { line: 2, column: 5 }, "not TOML: unexpected token"],
    ["wrangler.toml", "[env.staging\n", { line: 2 }, "not TOML: unterminated table-key"],
    ["wrangler.toml", "a = 1\na = 2\n", { line: 2 }, '"a" is given twice: here and on line 1'],
    ["wrangler.jsonc", '{\n  "a": 1\n  "b": 2\n}', { line: 3, column: 3 }, 'expected a comma before "b"'],
    ["wrangler.json", "", { line: 1, column: 1 }, "expected a value, but found the end of the file"],
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

  test("because it doesn't exist", () => {
    expect(readWranglerConfig(path.join(folder, "none.toml"))).toMatchObject({
      text: expect.stringContaining("ENOENT"),
      notes: [expect.stringContaining("--config")],
    });
  });
});

describe("VPC bindings", () => {
  test("of both kinds are read", () => {
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
  test.each(refused)("an invalid binding is left for wrangler to refuse: %s", (section, problem, note) => {
    expect(entriesOf(`{ ${section} }`)).toEqual({
      bindings: [],
      diagnostics: [
        {
          severity: "warning",
          code: "binding-not-served",
          text: `${problem}; it is left to wrangler unchanged`,
          file: path.join(folder, "wrangler.json"),
          line: 1,
          column: section.includes("[") ? 20 : 19,
          notes: [note],
        },
      ],
    });
  });

  test("if two have the same name, wrangler refuses the second", () => {
    const content = `{ "vpc_services": [{ "binding": "A", "service_id": "1" },
      { "binding": "A", "service_id": "2" }],
      "vpc_networks": [{ "binding": "A", "tunnel_id": "3" }, { "binding": "B", "tunnel_id": "4" }] }`;
    const twice = {
      severity: "warning",
      code: "binding-not-served",
      text: '"A" is already a binding, on line 1, which wrangler refuses; it is left to wrangler unchanged',
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

  test("an invalid binding is reported with its position, also in an environment and in TOML", () => {
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

  test("the active section", () => {
    expect(activeSection(raw, undefined)).toBe(raw);
    expect(activeSection(raw, "staging")).toBe(raw.env.staging);
    expect(activeSection(raw, "unknown")).toBe(raw);
  });

  test("the Worker's name", () => {
    expect(workerNameOf(raw, undefined)).toBe("api");
    expect(workerNameOf(raw, "staging")).toBe("api-staging");
    expect(workerNameOf(raw, "production")).toBe("live");
    expect(workerNameOf(raw, "unknown")).toBe("api-unknown");
    expect(workerNameOf({}, "staging")).toBeUndefined();
  });

  // Observed with wrangler 4.120.1 and 4.164.0: `deploy --dry-run` prints the variables of the environment.
  const onCommandLine: [
    title: string,
    args: string[],
    processEnv: NodeJS.ProcessEnv,
    environment: string | undefined,
  ][] = [
    [".env", [], {}, "from-env"],
    ["a variable of the process before .env", [], { CLOUDFLARE_ENV: "from-process" }, "from-process"],
    [".env before an empty variable of the process", [], { CLOUDFLARE_ENV: "" }, "from-env"],
    ["an argument before both", ["-e", "from-argument"], { CLOUDFLARE_ENV: "from-process" }, "from-argument"],
    ["an argument with a sign", ["-e=from-argument"], {}, "from-argument"],
    ["an empty argument: the top level", ["--env="], { CLOUDFLARE_ENV: "from-process" }, undefined],
    ["nothing after --", ["--", "--env", "from-argument"], {}, "from-env"],
    ["the .env of --cwd", ["--cwd", "sub"], {}, "from-sub"],
    ["--env-file instead of .env", ["--env-file", "other.env"], {}, "from-other"],
    ["the last --env-file", ["--env-file", "other.env", ".env"], {}, "from-env"],
    ["a folder as a file without variables", ["--env-file", "venv"], {}, undefined],
    ["a variable inside a value", ["--env-file", "nested.env"], {}, "from-other"],
    ["the process's variable inside a value", ["--env-file", "nested.env"], { STAGE: "process" }, "from-process"],
    ["a default inside a value", ["--env-file", "default.env"], {}, "from-default"],
    ["nothing for a value that refers to itself", ["--env-file", "circle.env"], {}, undefined],
    ["no file of the variable's environment", [], { CLOUDFLARE_ENV: "unread" }, "unread"],
  ];
  test.each(onCommandLine)("on the command line, wrangler uses %s", (_, args, processEnv, environment) => {
    write(".env", "CLOUDFLARE_ENV=from-env\n");
    write("sub/.env", "CLOUDFLARE_ENV=from-sub\n");
    write("other.env", "CLOUDFLARE_ENV=from-other\n");
    write("nested.env", "STAGE=other\nCLOUDFLARE_ENV=from-${STAGE}\n");
    write("default.env", "CLOUDFLARE_ENV=from-${UNSET:-default}\n");
    write("circle.env", "CLOUDFLARE_ENV=$OTHER\nOTHER=$CLOUDFLARE_ENV\n");
    write(".env.unread", "CLOUDFLARE_ENV=from-unread\n");
    mkdirSync(path.join(folder, "venv"));
    const parsed = parseDevArgs(args);
    const cwd = path.resolve(folder, parsed.cwd ?? ".");
    expect(findEnvironment(parsed, { cwd, processEnv })).toBe(environment);
  });

  test("on the command line, wrangler uses .env.local before .env, and the top level without both", () => {
    const args = parseDevArgs([]);
    const place = { cwd: folder, processEnv: {} };
    expect(findEnvironment(args, place)).toBeUndefined();
    write(".env", "CLOUDFLARE_ENV=from-env");
    write(".env.local", "CLOUDFLARE_ENV=from-local");
    expect(findEnvironment(args, place)).toBe("from-local");
  });

  test.each([
    ["as given", "a", "b", "a"],
    ["of the variable", undefined, "b", "b"],
    ["of the top level, if the name is empty", "", "b", undefined],
    ["of the top level, if the variable is empty", undefined, "", undefined],
    ["of the top level, if there is neither", undefined, undefined, undefined],
  ])("wrangler's functions take the environment %s", (_, given, variable, environment) => {
    expect(pickEnvironment(given, variable === undefined ? {} : { CLOUDFLARE_ENV: variable })).toBe(environment);
  });
});

describe("the configs that wrangler uses", () => {
  test("none", () => {
    expect(find([])).toEqual([]);
  });

  test("the nearest wrangler.json, or else wrangler.jsonc, or else wrangler.toml, in this or a parent folder", () => {
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

  test("the one in the script's folder", () => {
    write("wrangler.toml", "");
    const file = write("api/wrangler.toml", "");
    expect(find(["api/src/index.ts"])).toEqual([same(file)]);
  });

  test("those of --config, in order, even if they don't exist", () => {
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
