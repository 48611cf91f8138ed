/** What the adapters make of a host's options, and the configs they hand to it; the fixtures run it all. */

import { globSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import {
  createTestHarness,
  getPlatformProxy,
  unstable_startWorker,
  withVpc as withVpcForProxy,
} from "miniflare-vpc/wrangler";
import { withVpc as withVpcForVite } from "miniflare-vpc/vite";
import { withVpc as withVpcForVitest } from "miniflare-vpc/vitest";
import { expect, test } from "vitest";
import { keptConfig } from "../plugin/kept-configs.ts";
import { oldMiniflareIn } from "../plugin/old-miniflare.ts";
import { plugin } from "../plugin/plugin.ts";
import { readInstance } from "../plugin/read-instance.ts";
import { manifest, startMiniflare } from "./capnp/start-miniflare.ts";
import { SERVICE, TUNNEL } from "./session.ts";
import { createProject, type Project, REPOSITORY } from "./wrangler/temporary-project.ts";

const PLUGIN = { package: path.join(REPOSITORY, "dist/index.js"), name: "VPC Service" };
const VPC = { services: { API: () => new Response("from a function") } };
const CONFIG = {
  name: "api",
  main: "index.js",
  compatibility_date: "2026-01-01",
  vpc_services: [{ binding: "API", service_id: SERVICE }],
  env: { staging: { vpc_services: [{ binding: "API", service_id: SERVICE }] } },
};
const WORKER = 'export default { fetch: (_, env) => env.API.fetch("http://api.internal/") };\n';

test("vitest: a trigger beside the bindings that are there", () => {
  const given = {
    wrangler: { configPath: "./api/wrangler.jsonc", environment: "staging" },
    miniflare: { unsafeBindings: [{ name: "OWN" }], workers: [{ name: "stand-in" }] },
    verbose: true,
  };
  const before = structuredClone(given);
  expect(withVpcForVitest<object>(given, { config: "vpc.jsonc" })).toEqual({
    ...given,
    remoteBindings: false,
    miniflare: {
      ...given.miniflare,
      unsafeBindings: [
        { name: "OWN" },
        {
          name: "MINIFLARE_VPC",
          type: "miniflare-vpc",
          plugin: PLUGIN,
          options: { config: "vpc.jsonc", env: "staging", folder: "./api" },
        },
      ],
    },
  });
  expect(given).toEqual(before);
});

test("vitest: options may be made by a function", async () => {
  const made = withVpcForVitest<(context: { inject: (key: string) => string }) => object | Promise<object>>(
    async ({ inject }) => ({ main: inject("main"), wrangler: { configPath: "./api/wrangler.jsonc" } }),
    { config: "vpc.jsonc" },
  );
  expect(await made({ inject: (key) => `${key}.ts` })).toEqual(
    withVpcForVitest<object>(
      { main: "main.ts", wrangler: { configPath: "./api/wrangler.jsonc" } },
      { config: "vpc.jsonc" },
    ),
  );
});

test("vite: a Worker that only development has", () => {
  const { auxiliaryWorkers, ...rest } = withVpcForVite<Record<string, unknown>>({
    auxiliaryWorkers: [{ configPath: "b" }],
  });
  expect(rest).toEqual({ remoteBindings: false });
  const [, loading] = auxiliaryWorkers as [
    object,
    { devOnly: boolean; config: (own: object, session: object) => object },
  ];
  expect(loading.devOnly).toBe(true);
  const entryWorkerConfig = { compatibility_date: "2026-01-01", configPath: "/project/wrangler.jsonc" };
  expect(loading.config({}, { entryWorkerConfig })).toEqual({
    name: "miniflare-vpc",
    main: path.join(REPOSITORY, "plugin/local-worker.mjs"),
    compatibility_date: "2026-01-01",
    services: [
      { binding: "MINIFLARE_VPC", service: "miniflare-vpc", dev: { plugin: PLUGIN, options: { folder: "/project" } } },
    ],
  });
});

test("vite preview: the vpc config lies beside the wrangler config that was built from, whatever the working directory", async () => {
  using project = createProject({
    "app/wrangler.jsonc": CONFIG,
    "app/vpc.config.mjs": 'export default { services: { API: () => new Response("from a function") } };\n',
  });
  const rootPath = path.join(project.folder, "app/dist/api");
  project.write("app/dist/api/wrangler.json", { userConfigPath: path.join(project.folder, "app/wrangler.jsonc") });
  mkdirSync(path.join(project.folder, "node_modules/@cloudflare/vite-plugin"), { recursive: true });
  symlinkSync(path.join(REPOSITORY, "node_modules/miniflare"), path.join(project.folder, "node_modules/miniflare"));
  const entries: [string, unknown][] = createRequire(import.meta.url)("miniflare").PLUGIN_ENTRIES;
  const before = { folder: process.cwd(), count: entries.length };
  process.chdir(project.folder);
  try {
    withVpcForVite();
    expect(entries).toHaveLength(before.count + 1);
    const env = { API: { type: "vpc-service", id: SERVICE } } as const;
    const config = { name: "api", compatibilityDate: "2026-01-01", env, manifest: manifest(WORKER) };
    await using miniflare = startMiniflare({ workers: [{ config, dev: { rootPath } }] });
    expect(await (await miniflare.dispatchFetch("http://api/")).text()).toBe("from a function");
  } finally {
    process.chdir(before.folder);
    entries.splice(before.count);
  }
});

test.each([
  ["vitest", withVpcForVitest<object>],
  ["vite", withVpcForVite<object>],
])("%s: whoever wants remote bindings has them", (_, withVpc) => {
  expect(withVpc({ remoteBindings: true })).toMatchObject({ remoteBindings: true });
});

function idOf(config: object): string {
  const text = JSON.stringify(withVpcForVitest<object>({}, { config }));
  return /"configId":"([^"]+)"/.exec(text)?.[1] ?? "";
}

test("an object with functions is found again in the same process, once for each", () => {
  expect(keptConfig(idOf(VPC))).toBe(VPC);
  expect(idOf(VPC)).toBe(idOf(VPC));
  expect(idOf({})).not.toBe(idOf(VPC));
  expect(() => keptConfig("another process's")).toThrow("Pass the path of a vpc.config.ts instead");
});

test("a vpc config is looked for where the host says that the wrangler config lies", () => {
  const trigger = { type: "unsafe:x", dev: { plugin: PLUGIN, options: { folder: "./api" } } };
  const workers = [{ config: { name: "runner", env: { TRIGGER: trigger } }, dev: { rootPath: "/project" } }];
  expect(readInstance(workers as never).workers).toMatchObject([{ workerName: "runner", rootPath: "/project/api" }]);
});

test("a Miniflare with plugins of another kind is refused, naming versions", () => {
  // Version 4 hands a plugin the options of each of its Workers, without a `config`.
  const options = [{ name: "api", bindings: {} }] as never;
  expect(() => plugin.getExtensions?.({ options })).toThrow(/wrangler 4\.120\.1, .*vitest-plugin 1\.0\.0/);
});

test.each([
  ["4.20260730.0", true],
  ["5.20260801.1-alpha", true],
  ["5.20260804.0-alpha", false],
  ["5.20261117.0-beta", false],
  ["6.0.0", false],
])("miniflare %s is too old: %s", (version, isOld) => {
  using project = createProject({});
  project.write("node_modules/miniflare/package.json", { version });
  expect(oldMiniflareIn(project.folder)?.includes(`miniflare ${version} in`) ?? false).toBe(isOld);
});

test("getPlatformProxy: the generated config is a copy beside the user's, gone afterwards", async () => {
  using project = createProject({ "wrangler.jsonc": CONFIG, "index.js": WORKER });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const options = withVpcForProxy({ configPath, environment: "staging", persist: false });
  expect(options).toEqual({
    configPath: expect.stringMatching(/\.wrangler-vpc-\d+-\d+\.json$/),
    environment: "staging",
    persist: false,
    remoteBindings: false,
  });
  const { env, ...rest } = JSON.parse(readFileSync(options.configPath, "utf8"));
  const { env: userEnv, ...userRest } = CONFIG;
  expect(rest).toEqual(userRest);
  expect(env.staging).toEqual({
    vpc_services: [{ ...userEnv.staging.vpc_services[0], remote: true }],
    vpc_networks: [],
    services: [
      {
        binding: "MINIFLARE_VPC",
        service: "miniflare-vpc",
        dev: { plugin: PLUGIN, options: { folder: project.folder, env: "staging" } },
      },
    ],
  });
  expect(path.dirname(options.configPath)).toBe(project.folder);
});

test("getPlatformProxy, unstable_startWorker and createTestHarness reach a function", { timeout: 60_000 }, async () => {
  using project = createProject({ "wrangler.jsonc": CONFIG, "index.js": WORKER });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const vpc = { config: VPC };

  const { env, dispose } = await getPlatformProxy<{ API: { fetch: typeof fetch } }>({
    configPath,
    persist: false,
    vpc,
  });
  expect(await (await env.API.fetch("http://api.internal/")).text()).toBe("from a function");
  await dispose();
  expect(leftovers(project)).toEqual([]);

  const dev = { server: { port: 0 }, inspector: false, persist: false, logLevel: "error" } as const;
  const worker = await unstable_startWorker({ config: configPath, dev, vpc });
  expect(await (await worker.fetch("http://api/")).text()).toBe("from a function");
  await worker.dispose();
  expect(leftovers(project)).toEqual([]);

  const harness = createTestHarness({ workers: [{ configPath }], vpc });
  await harness.listen();
  expect(await (await harness.fetch("/")).text()).toBe("from a function");
  await harness.close();
});

test(
  "createTestHarness: without options, update gives them; from then on it takes a function",
  { timeout: 60_000 },
  async () => {
    using project = createProject({
      "wrangler.jsonc": CONFIG,
      "index.js": WORKER,
      "vpc.config.mjs": 'export default { services: { API: () => new Response("from a function") } };\n',
    });
    const harness = createTestHarness();
    await harness.update({ workers: [{ configPath: path.join(project.folder, "wrangler.jsonc") }] });
    await harness.listen();
    expect(await (await harness.fetch("/")).text()).toBe("from a function");
    await harness.update((options) => options);
    expect(await (await harness.fetch("/")).text()).toBe("from a function");
    await harness.close();
  },
);

test("unstable_startWorker: every mistake in the vpc config is told before it starts", async () => {
  using project = createProject({
    "wrangler.jsonc": { ...CONFIG, vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL }] },
    "vpc.jsonc": { services: { API: 3001 }, networks: { NET: { routes: { "a b": "x:1" } } } },
    "index.js": WORKER,
  });
  const starting = unstable_startWorker({ config: path.join(project.folder, "wrangler.jsonc") });
  await expect(starting).rejects.toThrow(/vpc\.jsonc:\d+:\d+: error: .*\n[^]*vpc\.jsonc:\d+:\d+: error: /);
});

test("getPlatformProxy reads the user's own config, also when a build tool redirects wrangler to its output", async () => {
  using project = createProject({
    "wrangler.jsonc": CONFIG,
    "dist/wrangler.json": { ...CONFIG, vars: { BUILT: "yes" } },
    ".wrangler/deploy/config.json": { configPath: "../../dist/wrangler.json" },
    ".dev.vars": "SECRET=mine\n",
  });
  const before = process.cwd();
  process.chdir(project.folder);
  try {
    const { env, dispose } = await getPlatformProxy({ persist: false, vpc: { config: VPC } });
    expect(Object.keys(env).toSorted()).toEqual(["API", "SECRET"]);
    await dispose();
  } finally {
    process.chdir(before);
  }
});

function leftovers({ folder }: Project): string[] {
  return globSync(".wrangler-vpc-*", { cwd: folder });
}
