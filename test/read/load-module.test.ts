/** vpc.config.*: its functions and imports, problems while it loads, and that loading leaves no files behind. */

import { readdir } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, test } from "vitest";

import type { VpcFunctionTarget } from "../../plugin/config.ts";
import type { LoadedTable } from "../../plugin/load.ts";
import { CONFIG_NAMES } from "../../plugin/read/read-vpc.ts";
import { type VpcFolder, createFolder, networkBinding, serviceBinding } from "../setup/vpc-folder.ts";

const RECORD = `name: "db", host: { ipv4: "10.0.0.1", network: { tunnel_id: "550e8400-e29b-41d4-a716-446655440000" } }`;

function load(vpc: VpcFolder, generation = 1): Promise<LoadedTable> {
  const app = vpc.worker("app", [serviceBinding("API"), serviceBinding("DB", "2"), networkBinding("NET")]);
  return vpc.load([app], { generation });
}

async function loadText(text: string, files: Record<string, string> = {}): Promise<string[]> {
  await using vpc = await createFolder({ ...files, "vpc.config.ts": text });
  const loaded = await load(vpc);
  return vpc.format({ diagnostics: loaded.diagnostics.filter(({ code }) => code !== "no-entry") });
}

async function answer(target: VpcFunctionTarget | undefined): Promise<string | undefined> {
  const request = new Request("http://a/");
  const response = await (typeof target === "object" ? target.fetch?.(request) : target?.(request));
  return response?.text();
}

describe("functions", () => {
  test("can be called; their ids consist of the generation, the file and the path", async () => {
    await using vpc = await createFolder({
      "vpc.config.ts": `
class Database { #name = "db"; fetch() { return new Response(this.#name); } connect() {} }
export default {
  services: { API: (request: Request): Response => new Response(request.url), DB: new Database() },
  networks: { NET: { routes: { "*.internal": { connect() {} } } } },
};`,
    });
    const loaded = await load(vpc, 5);
    expect(vpc.format(loaded)).toEqual([]);
    const prefix = `5:${path.join(vpc.folder, "vpc.config.ts")}:`;
    expect([...loaded.functions.keys()]).toEqual([
      `${prefix}services.API`,
      `${prefix}services.DB`,
      `${prefix}networks.NET.routes["*.internal"]`,
    ]);
    expect(loaded.table.bindings).toMatchObject({
      "app/API": { service: { type: "http", target: { type: "function", functionId: `${prefix}services.API` } } },
      "app/DB": { service: { type: "both" } },
    });
    expect(await answer(loaded.functions.get(`${prefix}services.API`))).toBe("http://a/");
    const database = loaded.functions.get(`${prefix}services.DB`);
    expect(await answer(database)).toBe("db");
  });

  const mismatches: [title: string, entry: string, expected: string[]][] = [
    [
      "for http on a tcp service",
      `{ ${RECORD}, type: "tcp", tcp_port: 1,\n  target: () => new Response() }`,
      [
        'vpc.config.ts:2:3: error: the target is a function for HTTP, but the service is "type": "tcp" [wrong-target]',
        "    Write the target as { connect(socket) { … } }.",
      ],
    ],
    [
      "for tcp on an http service",
      `{ ${RECORD}, type: "http",\n  target: { connect() {} } }`,
      [
        'vpc.config.ts:2:3: error: the target has only "connect", but the service is "type": "http" [wrong-target]',
        "    Write the target as a function, or as { fetch(request) { … } }.",
      ],
    ],
    [
      "with a misspelt name",
      `{ fetch() {},\n  conect: () => {} }`,
      ['vpc.config.ts:2:3: error: "conect" is not a field of a target [unknown-field]', '    Did you mean "connect"?'],
    ],
  ];

  test.each(mismatches)("%s", async (_, entry, expected) => {
    expect(await loadText(`export default { services: { API: ${entry} } };`)).toEqual(expected);
  });
});

describe("imports", () => {
  test("source files are bundled and watched, packages are left to Node; each file has its own import.meta", async () => {
    await using vpc = await createFolder({
      "vpc.config.ts": `
import { readFileSync } from "node:fs";
import os from "os";
import installed, { where } from "installed";
import ports from "./lib/ports.json";
import { url, place } from "./lib/routes";
import { workspace } from "#workspace";
const own = import.meta.url;
const port: number = ports.api;
if (typeof readFileSync !== "function" || typeof os.EOL !== "string") throw new Error("no built-ins");
export default { services: { API: \`localhost:\${port}\`, DB: () => Response.json([own, url, place, installed, where, workspace, import.meta.dirname]) } };`,
      "lib/ports.json": `{ "api": 4321 }`,
      "lib/routes.ts": `export const url = import.meta.url; export const place: string = import.meta.filename;`,
      "lib/workspace.ts": `export const workspace: string = "workspace";`,
      "package.json": `{ "imports": { "#workspace": "./lib/workspace.ts" } }`,
      "node_modules/installed/package.json": `{ "exports": { "import": "./main.mjs" } }`,
      "node_modules/installed/main.mjs": `export default "installed"; export const where = import.meta.url;`,
    });
    const before = await readdir(vpc.folder, { recursive: true });
    const loaded = await load(vpc);
    expect(loaded.diagnostics.map(({ code }) => code)).toEqual(["no-entry"]);
    expect(loaded.table.bindings["app/API"]).toMatchObject({ service: { target: { port: 4321 } } });
    const at = (name: string): string => path.join(vpc.folder, name);
    expect(JSON.parse((await answer([...loaded.functions.values()][0])) ?? "")).toEqual([
      pathToFileURL(at("vpc.config.ts")).href,
      pathToFileURL(at("lib/routes.ts")).href,
      at("lib/routes.ts"),
      "installed",
      pathToFileURL(at("node_modules/installed/main.mjs")).href,
      "workspace",
      vpc.folder,
    ]);
    expect(loaded.files.toSorted()).toEqual(
      ["lib/ports.json", "lib/routes.ts", "lib/workspace.ts", ...CONFIG_NAMES].map(at).toSorted(),
    );
    expect(await readdir(vpc.folder, { recursive: true })).toEqual(before);
  });

  test("the next load sees an edited import", async () => {
    await using vpc = await createFolder({
      "vpc.config.mjs": `import { port } from "./port.js"; export default { services: { API: "localhost:" + port } };`,
      "port.js": "export const port = 1;",
    });
    await load(vpc);
    await vpc.write("port.js", "export const port = 2;");
    const { table } = await load(vpc, 2);
    expect(table.bindings["app/API"]).toMatchObject({ service: { target: { port: 2 } } });
  });

  test("a default export that is a promise is awaited", async () => {
    const text = `export default (async () => ({ services: { API: "localhost:1" } }))();`;
    await using vpc = await createFolder({ "vpc.config.ts": text });
    const { table } = await load(vpc);
    expect(table.bindings["app/API"]).toMatchObject({ service: { target: { port: 1 } } });
  });

  test("one object can be in two places, or inside itself", async () => {
    const text = `const own = { routes: { a: "localhost:1" } }; own.own = own;
export default { networks: { NET: own, NET2: own } };`;
    expect((await loadText(text)).filter((line) => !line.startsWith(" "))).toEqual([
      'vpc.config.ts:2:30: error: "own" is not a field of a network [unknown-field]',
      'vpc.config.ts:2:40: error: "own" is not a field of a network [unknown-field]',
    ]);
  });

  test("CommonJS is read as its module.exports", async () => {
    await using vpc = await createFolder({
      "package.json": `{ "type": "commonjs" }`,
      "vpc.config.js": `module.exports = { services: { API: "localhost:1" } };`,
    });
    const { table } = await load(vpc);
    expect(table.bindings["app/API"]).toMatchObject({ service: { target: { port: 1 } } });
  });
});

describe("problems", () => {
  const broken: [title: string, text: string, files: Record<string, string>, expected: string[]][] = [
    [
      "several syntax errors",
      `const a = ;\nconst ü = 1, b = ];`,
      {},
      ['vpc.config.ts:1:11: error: Unexpected ";" [config-syntax]'],
    ],
    [
      "a syntax error after letters of several bytes",
      `const ü = "ä", b = ];`,
      {},
      ['vpc.config.ts:1:20: error: Unexpected "]" [config-syntax]'],
    ],
    [
      "a syntax error in an imported file",
      `import "./lib/broken";\nexport default {};`,
      { "lib/broken.ts": "\n}" },
      ['lib/broken.ts:2:1: error: Unexpected "}" [config-syntax]'],
    ],
    [
      "imports that don't exist",
      `import "./gone";\nimport "gone";\nexport default {};`,
      {},
      [
        'vpc.config.ts:1:8: error: Could not resolve "./gone" [config-syntax]',
        'vpc.config.ts:2:8: error: Could not resolve "gone" [config-syntax]',
        '    You can mark the path "gone" as external to exclude it from the bundle, which will remove this error and leave the unresolved path in the bundle.',
      ],
    ],
    [
      "a throw",
      `interface Unused {}\n\nfunction port(): number {\n  throw new Error("no port");\n}\nexport default { services: { API: port() } };`,
      {},
      ["vpc.config.ts:4:9: error: the vpc config threw while it was loaded: no port [config-threw]"],
    ],
    [
      "a throw in an imported file",
      `import { value } from "./lib/value";\nexport default value;`,
      { "lib/value.ts": `type A = 1;\nexport const value: A = (undefined as any).value;` },
      [
        "lib/value.ts:2:44: error: the vpc config threw while it was loaded: Cannot read properties of undefined (reading 'value') [config-threw]",
      ],
    ],
    [
      "a throw of something that isn't an error",
      `throw "nothing";`,
      {},
      ["vpc.config.ts: error: the vpc config threw while it was loaded: nothing [config-threw]"],
    ],
    [
      "no default export",
      `export const config = {};`,
      {},
      [
        "vpc.config.ts: error: the vpc config has no default export [no-default-export]",
        "    Write export default defineVpcConfig({ … }).",
      ],
    ],
    [
      "a default export that isn't an object",
      `export default () => ({});`,
      {},
      [
        "vpc.config.ts: error: the vpc config is a function, but must be an object [invalid-config]",
        '    Write { "services": { … }, "networks": { … } }.',
      ],
    ],
    ...(
      [
        ["new Map()", "an instance of Map"],
        ["new (class Config { services = {} })()", "an instance of Config"],
        ["undefined", "undefined"],
      ] as const
    ).map(([value, is]): (typeof broken)[number] => [
      `a default export that is ${is}`,
      `export default ${value};`,
      {},
      [
        `vpc.config.ts: error: the vpc config is ${is}, but must be an object [invalid-config]`,
        '    Write { "services": { … }, "networks": { … } }.',
      ],
    ]),
    [
      "a promise that is rejected",
      `async function load() {\n  throw new Error("no ports");\n}\nexport default load();`,
      {},
      ["vpc.config.ts:2:9: error: the vpc config threw while it was loaded: no ports [config-threw]"],
    ],
    [
      "a section that is a Map",
      `export default { services: new Map() };`,
      {},
      ['vpc.config.ts:1:18: error: "services" is an instance of Map, but must be an object [invalid-value]'],
    ],
    [
      "a getter that throws",
      `export default {\n  services: { get API() { throw new Error("no port"); } },\n};`,
      {},
      ["vpc.config.ts:2:3: error: the vpc config threw while it was read: no port [config-threw]"],
    ],
    [
      "a getter of a target that throws",
      `class Target { get fetch() { throw new Error("no port"); } }
export default {
  services: { API: new Target() },
};`,
      {},
      ["vpc.config.ts:3:15: error: the vpc config threw while it was read: no port [config-threw]"],
    ],
    [
      "mistakes, with their lines",
      `// services: { API: "not here" }
const text = "services: {";
export default {
  connectTimeout: "5s",
  services: {
    DB: "localhost:1",
    'API': "localhost:x",
  },
  networks: { NET: { routes: {
    "10.1.0.0/8": "localhost:1",
    [\`b\`]: "passthrough",
    a: "localhost",
    "A.": { deny: "dns" as string },
  } } },
  extra: { API: 1 },
};`,
      {},
      [
        'vpc.config.ts:4:3: error: "connectTimeout" is "5s", but must be a whole number of milliseconds from 1 to 300000 [invalid-value]',
        'vpc.config.ts:7:5: error: the target "localhost:x" has the port "x", which is not a number [invalid-target]',
        'vpc.config.ts:10:5: error: the destination "10.1.0.0/8" has bits set after its prefix /8 [invalid-destination]',
        'vpc.config.ts:13:5: error: "A." is the same destination as "a" on line 12 [duplicate-destination]',
        'vpc.config.ts:13:13: error: "deny" is "dns", which is not an error code [unknown-error-code]',
        'vpc.config.ts:15:3: error: "extra" is not a field of the vpc config [unknown-field]',
      ],
    ],
  ];

  test.each(broken)("%s", async (title, text, files, expected) => {
    const lines = await loadText(text, files);
    // The tests of plugin/parse check the notes of mistakes.
    expect(title.startsWith("mistakes") ? lines.filter((line) => !line.startsWith(" ")) : lines).toEqual(expected);
  });

  test("a broken import stays watched, so that a fix is noticed", async () => {
    await using vpc = await createFolder({ "vpc.config.ts": `import "./broken";`, "broken.ts": "}" });
    const { files } = await load(vpc);
    expect(files.slice(0, 2)).toEqual(["vpc.config.ts", "broken.ts"].map((name) => path.join(vpc.folder, name)));
  });
});
