/** How the adapters change a host's options and config. The fixtures run the hosts for real. */

import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { gzipSync } from "node:zlib";
import {
  createTestHarness,
  getPlatformProxy,
  unstable_startWorker,
  withVpc as withVpcForProxy,
} from "miniflare-vpc/wrangler";
import { withVpc as withVpcForVite } from "miniflare-vpc/vite";
import { withVpc as withVpcForVitest } from "miniflare-vpc/vitest";
import { expect, test, vi } from "vitest";
import { getPlatformProxy as getPlatformProxyOfWrangler } from "wrangler";
import { keptConfig } from "../../plugin/miniflare/kept-configs.ts";
import { loadTable } from "../../plugin/load.ts";
import { replaceInWorkers } from "../../plugin/adapters/replace-bindings.ts";
import { readInstance } from "../../plugin/miniflare/read-instance.ts";
import { manifest, startMiniflare } from "../capnp/start-miniflare.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { createProject, type TemporaryProject, REPOSITORY, linkFolder } from "../wrangler/temporary-project.ts";

interface Fetcher {
  fetch: typeof fetch;
}

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

test("vitest: adds a trigger to the user's bindings", () => {
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
          options: {
            config: "vpc.jsonc",
            env: "staging",
            folder: "./api",
            runs: "./api/wrangler.jsonc",
            isForTest: true,
          },
        },
      ],
    },
  });
  expect(given).toEqual(before);
});

test("vitest: the options can be a function", async () => {
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

test("vite: adds a Worker that exists only in development", () => {
  const { auxiliaryWorkers, ...rest } = withVpcForVite<Record<string, unknown>>({
    auxiliaryWorkers: [{ configPath: "b" }],
  });
  expect(rest).toEqual({ remoteBindings: false });
  const [, loading] = auxiliaryWorkers as [
    object,
    { devOnly: boolean; config: (own: object, context: object) => object },
  ];
  expect(loading.devOnly).toBe(true);
  const entryWorkerConfig = { compatibility_date: "2026-01-01", configPath: "/project/wrangler.jsonc" };
  expect(loading.config({}, { entryWorkerConfig })).toEqual({
    name: "miniflare-vpc",
    main: path.join(REPOSITORY, "plugin/miniflare/local-worker.mjs"),
    compatibility_date: "2026-01-01",
    services: [
      { binding: "MINIFLARE_VPC", service: "miniflare-vpc", dev: { plugin: PLUGIN, options: { folder: "/project" } } },
    ],
  });
});

test("vite preview: uses the vpc config and the environment of the build", async () => {
  using project = createProject({
    "app/wrangler.jsonc": CONFIG,
    "app/vpc.jsonc": { services: { API: "worker:stand-in" } },
  });
  const rootPath = path.join(project.folder, "app/dist/api");
  const userConfigPath = path.join(project.folder, "app/wrangler.jsonc");
  project.write("app/dist/api/wrangler.json", { userConfigPath, targetEnvironment: "staging" });
  mkdirSync(path.join(project.folder, "node_modules/@cloudflare/vite-plugin"), { recursive: true });
  linkFolder(path.join(REPOSITORY, "node_modules/miniflare"), path.join(project.folder, "node_modules/miniflare"));
  const entries: [string, unknown][] = createRequire(import.meta.url)("miniflare").PLUGIN_ENTRIES;
  const before = { folder: process.cwd(), count: entries.length };
  process.chdir(project.folder);
  try {
    withVpcForVite();
    expect(entries).toHaveLength(before.count + 1);
    const env = { API: { type: "vpc-service", id: SERVICE } } as const;
    const compatibilityDate = "2026-01-01";
    const config = { name: "api-staging", compatibilityDate, env, manifest: manifest(WORKER) };
    const answer = 'export default { fetch: () => new Response("from a stand-in") };';
    const standIn = { name: "stand-in-staging", compatibilityDate, env: {}, manifest: manifest(answer) };
    await using miniflare = startMiniflare({ workers: [{ config, dev: { rootPath } }, { config: standIn }] });
    expect(await (await miniflare.dispatchFetch("http://api/")).text()).toBe("from a stand-in");
  } finally {
    process.chdir(before.folder);
    entries.splice(before.count);
  }
});

test.each([
  ["vitest", withVpcForVitest<object>],
  ["vite", withVpcForVite<object>],
])("%s: keeps remoteBindings: true", (_, withVpc) => {
  expect(withVpc({ remoteBindings: true })).toMatchObject({ remoteBindings: true });
});

function idOf(config: object): string {
  const text = JSON.stringify(withVpcForVitest<object>({}, { config }));
  return /"configId":"([^"]+)"/.exec(text)?.[1] ?? "";
}

test("an object with functions has one id in its process", () => {
  expect(keptConfig(idOf(VPC))).toBe(VPC);
  expect(idOf(VPC)).toBe(idOf(VPC));
  expect(idOf({})).not.toBe(idOf(VPC));
  expect(() => keptConfig("another process's")).toThrow("Pass the path of a vpc.config.ts instead");
});

test("the vpc config is looked up in the folder of the host's wrangler config", () => {
  const trigger = { type: "unsafe:x", dev: { plugin: PLUGIN, options: { folder: "./api" } } };
  const workers = [{ config: { name: "runner", env: { TRIGGER: trigger } }, dev: { rootPath: "/project" } }];
  expect(readInstance(workers as never).workers).toMatchObject([{ workerName: "runner", rootPath: "/project/api" }]);
});

test("getPlatformProxy: the generated config is a copy beside the user's, without remote bindings", async () => {
  const kv = { binding: "KV", id: "1", remote: true };
  const staging = { ...CONFIG.env.staging, kv_namespaces: [kv], vars: { MODE: { remote: true } } };
  using project = createProject({ "wrangler.jsonc": { ...CONFIG, env: { staging } }, "index.js": WORKER });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const options = withVpcForProxy({ configPath, environment: "staging", persist: false });
  expect(options).toEqual({
    configPath: expect.stringMatching(/\.wrangler-vpc-\d+-\d+\.json$/),
    environment: "staging",
    persist: false,
    remoteBindings: false,
  });
  const { env, ...rest } = JSON.parse(readFileSync(options.configPath, "utf8"));
  const { env: _, ...userRest } = CONFIG;
  expect(rest).toEqual({ ...userRest, vpc_services: [] });
  const standIns = [{ bindingName: "API", bindingType: "vpc-service", id: SERVICE }];
  const triggerOptions = { folder: project.folder, env: "staging", isForNode: true, standIns };
  expect(env.staging).toEqual({
    vpc_services: [],
    kv_namespaces: [{ binding: "KV", id: "1" }],
    vars: { MODE: { remote: true } },
    services: [
      { binding: "API", service: "api-staging" },
      { binding: "MINIFLARE_VPC", service: "miniflare-vpc", dev: { plugin: PLUGIN, options: triggerOptions } },
    ],
  });
  expect(path.dirname(options.configPath)).toBe(project.folder);
});

test("getPlatformProxy: with remoteBindings: true, remote bindings stay", () => {
  const kv = { binding: "KV", id: "1", remote: true };
  using project = createProject({ "wrangler.jsonc": { ...CONFIG, kv_namespaces: [kv] }, "index.js": WORKER });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const options = withVpcForProxy({ configPath, remoteBindings: true });
  expect(options.remoteBindings).toBe(true);
  const written = JSON.parse(readFileSync(options.configPath, "utf8"));
  expect(written.kv_namespaces).toEqual([kv]);
  expect(written.vpc_services).toEqual([{ binding: "API", service_id: SERVICE, remote: true }]);
});

test("getPlatformProxy: equal options use the same file", () => {
  using project = createProject({ "wrangler.jsonc": CONFIG, "index.js": WORKER });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const listeners = process.listenerCount("exit");
  const all = Array.from({ length: 20 }, () => withVpcForProxy({ configPath }).configPath);
  expect(new Set(all).size).toBe(1);
  expect(leftovers(project)).toHaveLength(1);
  expect(process.listenerCount("exit") - listeners).toBeLessThanOrEqual(1);
  rmSync(all[0] ?? "");
  expect(readFileSync(withVpcForProxy({ configPath }).configPath, "utf8")).toContain(SERVICE);
  expect(withVpcForProxy({ configPath, environment: "staging" }).configPath).not.toBe(all[0]);
});

test("getPlatformProxy: works if a host only passes configPath, persist and environment on", async () => {
  const kv = { binding: "KV", id: "1", remote: true };
  using project = createProject({
    "wrangler.jsonc": { ...CONFIG, env: { staging: { ...CONFIG.env.staging, kv_namespaces: [kv] } } },
    "index.js": WORKER,
    "vpc.config.mjs": 'export default { services: { API: () => new Response("from a function") } };\n',
  });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  for (const environment of [undefined, "staging"]) {
    const options = withVpcForProxy({ configPath, persist: false, ...(environment && { environment }) });
    const passedOn = { configPath: options.configPath, persist: false, ...(environment && { environment }) } as const;
    const { env, dispose } = await getPlatformProxyOfWrangler<{ API: Fetcher }>(passedOn);
    expect(await (await env.API.fetch("http://api.internal/")).text()).toBe("from a function");
    await dispose();
  }
});

test("getPlatformProxy, unstable_startWorker and createTestHarness reach a function", { timeout: 60_000 }, async () => {
  using project = createProject({ "wrangler.jsonc": CONFIG, "index.js": WORKER });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const vpc = { config: VPC };

  const { env, dispose } = await getPlatformProxy<{ API: Fetcher }>({
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

test("getPlatformProxy: fetch() resolves to Node's own Response", { timeout: 60_000 }, async () => {
  const routes: Record<string, (request: Request) => Response | Promise<Response>> = {
    "/text": () => new Response("text", { status: 404, statusText: "Nobody", headers: { "x-a": "1" } }),
    "/cookies": () =>
      new Response(null, {
        headers: new Headers([
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ]),
      }),
    "/empty": () => new Response(null, { status: 204 }),
    "/unchanged": () => new Response(null, { status: 304 }),
    "/moved": () => new Response(null, { status: 302, headers: { location: "http://other.internal/text" } }),
    "/repeated": () => new Response(null, { status: 307, headers: { location: "/echo" } }),
    "/seen": () => new Response(null, { status: 303, headers: { location: "/echo" } }),
    "/round": () => new Response(null, { status: 301, headers: { location: "/round" } }),
    "/zipped": () => new Response(gzipSync("zipped"), { headers: { "content-encoding": "gzip" } }),
    "/echo": async (request) => new Response(`${request.method} ${await request.text()}`),
    "/failed": () => Response.error(),
  };
  const config = { services: { API: (request: Request) => routes[new URL(request.url).pathname]!(request) } };
  using project = createProject({ "wrangler.jsonc": CONFIG, "index.js": WORKER });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const { env, dispose } = await getPlatformProxy<{ API: Fetcher }>({
    configPath,
    persist: false,
    vpc: { config },
  });
  try {
    const ask = async (route: string, init?: RequestInit): Promise<Response> => {
      const response = await env.API.fetch(`http://api.internal${route}`, init);
      expect(response).toBeInstanceOf(Response);
      return response;
    };
    const text = await ask("/text");
    expect([
      text.status,
      text.statusText,
      text.headers.get("x-a"),
      await text.clone().text(),
      await text.text(),
    ]).toEqual([404, "Nobody", "1", "text", "text"]);
    expect((await ask("/cookies")).headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect((await ask("/empty")).status).toBe(204);
    expect((await ask("/unchanged")).status).toBe(304);
    const at = "http://other.internal/text";
    expect((await ask("/moved", { redirect: "manual" })).headers.get("location")).toBe(at);
    const moved = await ask("/moved");
    expect([moved.status, moved.url, moved.redirected, await moved.text()]).toEqual([404, at, true, "text"]);
    expect([text.url, text.redirected]).toEqual(["http://api.internal/text", false]);
    await expect(env.API.fetch("http://api.internal/moved", { redirect: "error" })).rejects.toThrow("fetch failed");
    await expect(env.API.fetch("http://api.internal/round")).rejects.toThrow("fetch failed");
    expect(await (await ask("/repeated", { method: "POST", body: "body" })).text()).toBe("POST body");
    const form = new FormData();
    form.set("field", "value");
    expect(await (await ask("/repeated", { method: "POST", body: form })).text()).toContain('name="field"');
    expect(await (await ask("/seen", { method: "POST", body: "body" })).text()).toBe("GET ");
    const stream = new Blob(["body"]).stream();
    await expect(
      env.API.fetch("http://api.internal/repeated", { method: "POST", body: stream, duplex: "half" }),
    ).rejects.toThrow("fetch failed");
    expect(await (await ask("/echo", { method: "POST", body: "body" })).text()).toBe("POST body");
    const request = new Request("http://api.internal/echo", { method: "PUT", body: "again" });
    expect(await (await env.API.fetch(request)).text()).toBe("PUT again");
    // A framework sends a route's response on with these headers.
    const zipped = await ask("/zipped");
    expect([zipped.headers.get("content-encoding"), await zipped.text()]).toEqual([null, "zipped"]);
    await expect(env.API.fetch("http://api.internal/failed")).rejects.toThrow("ProxyError: ");
  } finally {
    await dispose();
  }
});

test("getPlatformProxy: the message about a remote entry says how to use it", { timeout: 60_000 }, async () => {
  using project = createProject({ "wrangler.jsonc": CONFIG, "index.js": WORKER });
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const vpc = { config: { services: { API: "remote" } } } as const;
  const said: string[] = [];
  const error = vi.spyOn(console, "error").mockImplementation((text: string) => said.push(text));
  const { env, dispose } = await getPlatformProxy<{ API: Fetcher }>({ configPath, persist: false, vpc });
  await expect(env.API.fetch("http://api.internal/")).rejects.toThrow("ProxyError: ");
  await expect.poll(() => said.join("\n"), { timeout: 10_000 }).toContain('Pass "remoteBindings": true');
  await dispose();
  error.mockRestore();
});

test(
  "createTestHarness: created without options, it takes them in update(), and then a function",
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

test("unstable_startWorker: rejects with every mistake in the vpc config", async () => {
  using project = createProject({
    "wrangler.jsonc": { ...CONFIG, vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL }] },
    "vpc.jsonc": { services: { API: 3001 }, networks: { NET: { routes: { "a b": "x:1" } } } },
    "index.js": WORKER,
  });
  const starting = unstable_startWorker({ config: path.join(project.folder, "wrangler.jsonc") });
  await expect(starting).rejects.toThrow(/vpc\.jsonc:\d+:\d+: error: .*\n[^]*vpc\.jsonc:\d+:\d+: error: /);
});

test(
  "getPlatformProxy and unstable_startWorker throw the ConfigError that the package exports",
  { timeout: 60_000 },
  () => {
    using project = createProject({
      "wrangler.jsonc": CONFIG,
      "index.js": WORKER,
      "vpc.jsonc": { services: { API: 3001 } },
      "run.mjs": `import { ConfigError } from "miniflare-vpc";
import { getPlatformProxy, unstable_startWorker } from "miniflare-vpc/wrangler";
for (const start of [() => getPlatformProxy({ persist: false }), () => unstable_startWorker({ config: "wrangler.jsonc" })]) {
  const error = await start().catch((thrown) => thrown);
  console.log(error instanceof ConfigError && error.diagnostics.map(({ code }) => code).join());
}
process.exit();`,
    });
    project.install();
    const printed = execFileSync(process.execPath, ["run.mjs"], { cwd: project.folder, encoding: "utf8" });
    expect(printed).toBe("invalid-target\ninvalid-target\n");
  },
);

test("getPlatformProxy reads the user's config, even if a build tool redirects wrangler to its output", async () => {
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

test.each([
  [undefined, "api"],
  ["", "api"],
  ["staging", "api-staging"],
])("vitest: a target can name the Worker under test, in the environment %j", async (env, name) => {
  using project = createProject({ "api/wrangler.jsonc": CONFIG });
  const trigger = {
    type: "unsafe:x",
    dev: {
      plugin: PLUGIN,
      options: { folder: "./api", runs: "./api/wrangler.jsonc", ...(env !== undefined && { env }) },
    },
  };
  const bindings = { NET: { type: "vpc-network", tunnelId: TUNNEL }, TRIGGER: trigger };
  const rootPath = project.folder;
  const instance = readInstance([
    { config: { name: "runner", env: bindings }, dev: { rootPath } },
    { config: { name: "stand-in" }, dev: { rootPath } },
  ] as never);
  expect(instance.workers).toMatchObject([{ workerName: "runner", ownName: name }, { ownName: undefined }]);
  const config = { networks: { NET: { routes: { a: "worker:api", b: `worker:${name}`, c: "worker:stand-in" } } } };
  const { table, diagnostics } = await loadTable({ ...instance, source: config, generation: 1 });
  expect(diagnostics).toEqual([]);
  const self = { type: "worker", workerName: "runner", ownName: name };
  const targets = table.networks[0]?.routes.map(({ target }) => target);
  expect(targets).toEqual([self, self, { type: "worker", workerName: "stand-in" }]);
  expect(table.bindings["runner/NET"]).toMatchObject({ workerName: name, bindingName: "NET" });
});

test("vitest: without a wrangler config, the Worker under test has the name of the options", () => {
  const { miniflare } = withVpcForVitest<{ miniflare: { unsafeBindings?: { options: object }[] } }>({
    miniflare: { name: "shop" } as object,
  });
  const trigger = { type: "unsafe:x", dev: { plugin: PLUGIN, options: miniflare.unsafeBindings?.[0]?.options } };
  const { workers } = readInstance([{ config: { name: "runner", env: { TRIGGER: trigger } } }] as never);
  expect(workers).toMatchObject([{ workerName: "runner", ownName: "shop" }]);
});

const NODE = process.execPath;
const WRANGLER = "/project/node_modules/wrangler/wrangler-dist/cli.js";

test.each([
  ["the trigger's", [NODE, WRANGLER, "dev", "-e", "other"], "b", "staging", "staging"],
  ["none, if the trigger says the top level", [NODE, WRANGLER, "dev", "-e", "other"], "b", "", undefined],
  ["wrangler's argument", [NODE, WRANGLER, "dev", "--env", "staging"], "b", undefined, "staging"],
  ["wrangler's argument with a sign", [NODE, WRANGLER, "dev", "-e=staging"], "b", undefined, "staging"],
  ["wrangler's argument before the command", [NODE, WRANGLER, "--env=staging", "dev"], "b", undefined, "staging"],
  ["none, if wrangler's argument is empty", [NODE, WRANGLER, "dev", "--env="], "b", undefined, undefined],
  ["the variable, if the argument is not wrangler's", [NODE, WRANGLER, "dev", "--", "-e", "x"], "b", undefined, "b"],
  ["the variable in another program", [NODE, "/wrangler/node_modules/.bin/vitest", "-e", "x"], "b", undefined, "b"],
  ["none, if the variable is empty", [NODE, "/project/run.js"], "", undefined, undefined],
])("the environment of an instance: %s", (_, argv, variable, env, expected) => {
  const before = process.argv;
  vi.stubEnv("CLOUDFLARE_ENV", variable);
  process.argv = argv;
  try {
    const trigger = { type: "unsafe:x", dev: { plugin: PLUGIN, options: env === undefined ? {} : { env } } };
    expect(readInstance([{ config: { name: "api", env: { TRIGGER: trigger } } }] as never).env).toBe(expected);
  } finally {
    process.argv = before;
    vi.unstubAllEnvs();
  }
});

test.each([
  ["the top level in spite of CLOUDFLARE_ENV", "", ""],
  ["CLOUDFLARE_ENV, and not the one in .env", undefined, "staging"],
])("getPlatformProxy and createTestHarness take %s, and tell the plugin so", (_, environment, env) => {
  const section = { vpc_services: CONFIG.vpc_services };
  using project = createProject({
    "wrangler.jsonc": { ...CONFIG, env: { staging: section, unread: section } },
    ".env": "CLOUDFLARE_ENV=unread\n",
  });
  vi.stubEnv("CLOUDFLARE_ENV", "staging");
  try {
    const configPath = path.join(project.folder, "wrangler.jsonc");
    const chosen = withVpcForProxy({ configPath, ...(environment === undefined ? {} : { environment }) });
    expect(envsIn(chosen.configPath)).toEqual([env]);
    const worker = { configPath, ...(environment === undefined ? {} : { env: environment }) };
    const [replaced] = replaceInWorkers({ workers: [worker] }, {}).workers;
    expect(envsIn(replaced !== undefined && "configPath" in replaced ? String(replaced.configPath) : "")).toEqual([
      env,
    ]);
  } finally {
    vi.unstubAllEnvs();
  }
});

/** @returns the `env` of each binding that loads the plugin, in a generated config */
function envsIn(file: string): (string | undefined)[] {
  const config = JSON.parse(readFileSync(file, "utf8"));
  const sections = [config, ...Object.values<typeof config>(config.env)];
  const bindings = sections.flatMap(({ services, unsafe }) => [services, unsafe?.bindings]).flat();
  return bindings.flatMap((binding) => (binding?.dev === undefined ? [] : [binding.dev.options.env]));
}

function leftovers({ folder }: TemporaryProject): string[] {
  return globSync(".wrangler-vpc-*", { cwd: folder });
}
