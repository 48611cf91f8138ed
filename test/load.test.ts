/** Which Worker uses which config, configs that are objects, and how long loading takes. */

import path from "node:path";

import { describe, expect, test, vi } from "vitest";

import type { VpcConfig } from "../plugin/config.ts";
import { OBJECT_SOURCE } from "../plugin/load.ts";
import { CONFIG_NAMES } from "../plugin/read/read-vpc.ts";
import { networkOf, portOf, targetsOf } from "./setup/network-table.ts";
import { TUNNEL_ID, createFolder, networkBinding, serviceBinding } from "./setup/vpc-folder.ts";
import { startCpuTime } from "./setup/cpu-time.ts";

const MESH_ID = "cf1:network";

const RECORD = `{ "name": "users", "type": "http", "http_port": 8080,
    "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } }`;

describe("the config of a Worker", () => {
  test("is the one beside its wrangler config; networks of two configs stay separate", async () => {
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
    // A config that appears later is also noticed.
    expect(loaded.files.toSorted()).toEqual(
      ["a", "b"].flatMap((folder) => CONFIG_NAMES.map((name) => at(path.join(folder, name)))).toSorted(),
    );
  });

  test("is the same for all Workers if a path is given", async () => {
    await using vpc = await createFolder({ "shared.json": `{ "services": { "API": "localhost:1" } }` });
    const workers = [
      vpc.worker("a", [serviceBinding("API")]),
      { workerName: "b", rootPath: undefined, bindings: [serviceBinding("API")] },
    ];
    const loaded = await vpc.load(workers, { source: path.join(vpc.folder, "shared.json") });
    expect(vpc.format(loaded)).toEqual([]);
    expect([portOf(loaded.table, "a/API"), portOf(loaded.table, "b/API")]).toEqual([1, 1]);
  });

  test("can be missing: diagnostics name vpc.jsonc, and every possible name is watched", async () => {
    await using vpc = await createFolder();
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API")])]);
    expect(vpc.format(loaded)[0]).toBe(
      'vpc.jsonc: warning: the binding "API" of Worker "app" has no entry, so every call is refused [no-entry]',
    );
    expect(loaded.table.bindings["app/API"]?.configFile).toBe(path.join(vpc.folder, "vpc.jsonc"));
    expect(loaded.files).toEqual(CONFIG_NAMES.map((name) => path.join(vpc.folder, name)));
  });

  test("is missing in a folder that does not exist", async () => {
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
      "a path that doesn't exist",
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
      "an unknown format",
      { "vpc.yaml": "" },
      "vpc.yaml",
      [
        "vpc.yaml: error: a vpc config can't be a .yaml file [unknown-config-format]",
        `    Use one of these names: ${CONFIG_NAMES.join(", ")}.`,
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
])("a config in %s is reported as not UTF-8", async (_, bytes, text) => {
  await using vpc = await createFolder();
  for (const name of ["vpc.jsonc", "vpc.toml"]) {
    const source = path.join(vpc.folder, name);
    await vpc.write(name, bytes);
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API")])], { source });
    expect(vpc.format(loaded)).toEqual([`${name}: error: ${text} [not-utf-8]`, "    Save it as UTF-8."]);
  }
});

describe("a config that is an object", () => {
  test("is used by all Workers, and can have functions", async () => {
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

  test("has key paths in its diagnostics instead of lines", async () => {
    await using vpc = await createFolder();
    const source: VpcConfig = {
      services: { API: "localhost:x" },
      networks: { [TUNNEL_ID]: { routes: { "10.0.0.1/8": "localhost:1", a: "localhost:1", "A.": "localhost:2" } } },
    };
    const loaded = await vpc.load([vpc.worker("app", [serviceBinding("API"), networkBinding("NET")])], { source });
    expect(vpc.format(loaded).filter((line) => !line.startsWith(" "))).toEqual([
      '<vpc config>: error: services.API: the target "localhost:x" has the port "x", which is not a number [invalid-target]',
      `<vpc config>: error: networks["${TUNNEL_ID}"].routes["10.0.0.1/8"]: the destination "10.0.0.1/8" has bits set after its prefix /8 [invalid-destination]`,
      `<vpc config>: error: networks["${TUNNEL_ID}"].routes["A."]: "A." is the same destination as "a" on networks["${TUNNEL_ID}"].routes.a [duplicate-destination]`,
    ]);
  });
});

test("10 000 routes and 1 000 services load within two seconds of processor time", async () => {
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
  const cpuTime = startCpuTime();
  const loaded = await vpc.load([vpc.worker("app", bindings)]);
  const elapsed = cpuTime();
  expect(networkOf(loaded.table, "app/MESH")?.routes).toHaveLength(20_000);
  expect(Object.keys(loaded.table.bindings)).toHaveLength(2002);
  expect(elapsed).toBeLessThan(2000);
});

describe("a config that is too large is refused at once", () => {
  const bindings = [networkBinding("NET")];

  test("150 000 routes", async () => {
    const routes = Array.from({ length: 150_000 }, (_, n) => `"a${n}.internal": "localhost:3000"`);
    await using vpc = await createFolder({
      "vpc.jsonc": `{"networks": {"NET": {"routes": {\n${routes.join(",\n")}}}}}`,
    });
    const loaded = await vpc.load([vpc.worker("app", bindings)]);
    expect(vpc.format(loaded)).toEqual([
      "vpc.jsonc:1:1: error: the vpc config has 150000 routes, but the limit is 100000 [too-many-routes]",
      "    Use a CIDR or a wildcard instead of many addresses or names.",
    ]);
    expect(loaded.table.networks).toEqual([]);
  });

  test.each(["vpc.jsonc", "vpc.toml", "vpc.config.ts"])("50 MB of %s", async (name) => {
    await using vpc = await createFolder({ [name]: " ".repeat(50_000_000) });
    const loaded = await vpc.load([vpc.worker("app", bindings)]);
    expect(vpc.format(loaded)).toEqual([
      `${name}: error: the vpc config can't be read: its size is 50 MB, but the limit is 16 MB [config-unreadable]`,
    ]);
  });
});
