/** Which config is whose, configs that are objects, and how long it all takes. */

import path from "node:path";

import { describe, expect, test, vi } from "vitest";

import type { VpcConfig } from "../plugin/config.ts";
import { OBJECT_SOURCE } from "../plugin/load.ts";
import { CONFIG_NAMES } from "../plugin/read/read-vpc.ts";
import { networkOf, portOf, targetsOf } from "./session-table.ts";
import { TUNNEL_ID, createFolder, networkBinding, serviceBinding } from "./vpc-folder.ts";

const MESH_ID = "cf1:network";

const RECORD = `{ "name": "users", "type": "http", "http_port": 8080,
    "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } }`;

describe("whose config", () => {
  test("each Worker's is the one beside its wrangler config; networks are kept apart", async () => {
    await using vpc = await createFolder({
      "a/vpc.jsonc": `{ "networks": { "${TUNNEL_ID}": { "routes": { "a": "localhost:1" } } }, "traffic": false }`,
      "b/vpc.toml": `[networks."${TUNNEL_ID}".routes]\nb = "localhost:2"\n`,
      "c/vpc.jsonc": "not JSON, but not read either",
    });
    const at = (name: string): string => path.join(vpc.folder, name);
    const loaded = await vpc.load([
      { workerName: "a", rootPath: at("a"), bindings: [networkBinding("NET"), networkBinding("MESH", MESH_ID)] },
      { workerName: "a2", rootPath: at("a/"), bindings: [networkBinding("NET")] },
      { workerName: "b", rootPath: at("b"), bindings: [networkBinding("MESH", MESH_ID)] },
      { workerName: "c", rootPath: at("c"), bindings: [] },
    ]);
    expect(vpc.format(loaded)).toEqual([]);
    expect(["a/NET", "a/MESH", "a2/NET", "b/MESH"].map((key) => targetsOf(loaded.table, key))).toEqual([
      { a: 1 },
      { a: 1 },
      { a: 1 },
      { b: 2 },
    ]);
    expect(Object.values(loaded.table.bindings).map(({ traffic }) => traffic)).toEqual([false, false, false, true]);
    expect(loaded.table.networks).toHaveLength(3);
    // Another one that appears is noticed, too.
    expect(loaded.files.toSorted()).toEqual(
      ["a", "b"].flatMap((folder) => CONFIG_NAMES.map((name) => at(path.join(folder, name)))).toSorted(),
    );
  });

  test("with a path given, it is everyone's", async () => {
    await using vpc = await createFolder({ "shared.json": `{ "services": { "API": "localhost:1" } }` });
    const workers = [
      vpc.worker("a", [serviceBinding("API")]),
      { workerName: "b", rootPath: undefined, bindings: [serviceBinding("API")] },
    ];
    const loaded = await vpc.load(workers, { source: path.join(vpc.folder, "shared.json") });
    expect(vpc.format(loaded)).toEqual([]);
    expect([portOf(loaded.table, "a/API"), portOf(loaded.table, "b/API")]).toEqual([1, 1]);
  });

  test("none at all: vpc.jsonc is where it would go, and every name is watched", async () => {
    await using vpc = await createFolder();
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API")])]);
    expect(vpc.format(loaded)[0]).toBe(
      'vpc.jsonc: warning: the binding "API" of Worker "app" has no entry, so all it is asked is refused [no-entry]',
    );
    expect(loaded.table.bindings["app/API"]?.configFile).toBe(path.join(vpc.folder, "vpc.jsonc"));
    expect(loaded.files).toEqual(CONFIG_NAMES.map((name) => path.join(vpc.folder, name)));
  });

  test("a folder that does not exist has none", async () => {
    await using vpc = await createFolder();
    const app = { workerName: "app", rootPath: path.join(vpc.folder, "gone"), bindings: [serviceBinding("API")] };
    expect((await vpc.load([app])).diagnostics.map(({ code }) => code)).toEqual(["no-entry"]);
  });

  const unusable: [title: string, files: Record<string, string>, source: string | undefined, expected: string[]][] = [
    [
      "several in one folder",
      { "vpc.toml": "", "vpc.jsonc": "{}", "vpc.config.ts": "" },
      undefined,
      [
        "vpc.jsonc: error: there are 3 vpc configs in one folder: vpc.jsonc, vpc.toml, vpc.config.ts [several-configs]",
        "    Keep one of them.",
      ],
    ],
    [
      "a path that leads nowhere",
      {},
      "gone.jsonc",
      ["gone.jsonc: error: there is no such vpc config [config-not-found]", "    Create it, or correct its path."],
    ],
    [
      "a script that does not exist",
      {},
      "gone.ts",
      ["gone.ts: error: there is no such vpc config [config-not-found]", "    Create it, or correct its path."],
    ],
    [
      "a format that is none",
      { "vpc.yaml": "" },
      "vpc.yaml",
      [
        "vpc.yaml: error: a vpc config can't be a .yaml file [unknown-config-format]",
        `    Its name is one of ${CONFIG_NAMES.join(", ")}.`,
      ],
    ],
  ];

  test.each(unusable)("%s", async (_, files, source, expected) => {
    await using vpc = await createFolder(files);
    const options = source === undefined ? {} : { source: path.join(vpc.folder, source) };
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API")])], options);
    expect(vpc.format(loaded)).toEqual(expected);
    expect(loaded.table.bindings["app/API"]?.kind).toBe("unlinked");
    expect(loaded.files.length).toBeGreaterThan(0);
  });
});

test.each([
  ["UTF-16", Buffer.from(`\uFEFF{ "services": {} }`, "utf16le"), "it is UTF-16, but must be UTF-8"],
  ["UTF-16 without a mark", Buffer.from(`{ "services": {} }`, "utf16le"), "it is not UTF-8 text"],
  ["Latin-1", Buffer.from(`{ "services": { "ÄPI": "localhost:1" } }`, "latin1"), "it is not UTF-8 text"],
])("a config in %s is told apart from one with mistakes", async (_, bytes, text) => {
  await using vpc = await createFolder();
  for (const name of ["vpc.jsonc", "vpc.toml"]) {
    const source = path.join(vpc.folder, name);
    await vpc.write(name, bytes);
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API")])], { source });
    expect(vpc.format(loaded)).toEqual([`${name}: error: ${text} [not-utf-8]`, "    Save it as UTF-8."]);
  }
});

describe("a config that is an object", () => {
  test("is everyone's, and may hold functions", async () => {
    await using vpc = await createFolder();
    const database = { connect: vi.fn<() => void>() };
    const api = vi.fn<() => Response>();
    const source: VpcConfig = { services: { API: api }, networks: { NET: { routes: { db: database } } } };
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])], {
      source,
      generation: 3,
    });
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.files).toEqual([]);
    expect(loaded.table.bindings["app/API"]?.configFile).toBe(OBJECT_SOURCE);
    expect([...loaded.functions]).toEqual([
      ["3:<vpc config>:services.API", api],
      ["3:<vpc config>:networks.NET.routes.db", database],
    ]);
  });

  test("names the key path where a file would have a line", async () => {
    await using vpc = await createFolder();
    const source: VpcConfig = {
      services: { API: "localhost:x" },
      networks: { [TUNNEL_ID]: { routes: { "10.0.0.1/8": "localhost:1", a: "localhost:1", "A.": "localhost:2" } } },
    };
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])], { source });
    expect(vpc.format(loaded).filter((line) => !line.startsWith(" "))).toEqual([
      '<vpc config>: error: services.API: the target "localhost:x" has the port "x", which is not a number [invalid-target]',
      `<vpc config>: error: networks["${TUNNEL_ID}"].routes["10.0.0.1/8"]: the destination "10.0.0.1/8" has bits set behind its prefix /8 [invalid-destination]`,
      `<vpc config>: error: networks["${TUNNEL_ID}"].routes["A."]: "A." is the same destination as "a" on networks["${TUNNEL_ID}"].routes.a [duplicate-destination]`,
    ]);
  });
});

test("10 000 routes and 1 000 services load in well under a second", async () => {
  const routes = Array.from({ length: 10_000 }, (_, n) => `"10.${n >> 8}.${n & 255}.0/24:80": "localhost:3000"`);
  const services = Array.from({ length: 1000 }, (_, n) => `"SERVICE_${n}": ${RECORD}`);
  const ports = Array.from({ length: 10_000 }, (_, n) => `"a:${n + 1}": "localhost:3000"`);
  await using vpc = await createFolder({
    "vpc.jsonc": `{ "services": {\n${services.join(",\n")} },\n"networks": { "NET": { "routes": {\n${routes.join(",\n")} } },
      "PORTS": { "routes": {\n${ports.join(",\n")} } } } }`,
  });
  const bindings = [
    networkBinding("NET"),
    networkBinding("MESH", MESH_ID),
    ...services.map((_, n) => serviceBinding(`SERVICE_${n}`, `id-${n}`)),
    ...services.map((_, n) => serviceBinding(`MISSING_${n}`, `no-${n}`)),
  ];
  const start = performance.now();
  const loaded = await vpc.load([vpc.worker("app", bindings)]);
  const elapsed = performance.now() - start;
  expect(networkOf(loaded.table, "app/MESH")?.routes).toHaveLength(20_000);
  expect(Object.keys(loaded.table.bindings)).toHaveLength(2002);
  expect(elapsed).toBeLessThan(2000);
});
