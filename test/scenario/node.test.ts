/** `connectVpc()` finds the session of each holder in this process. */

import path from "node:path";

import { createTestHarness, getPlatformProxy, unstable_startWorker } from "miniflare-vpc/wrangler";
import { connectVpc } from "miniflare-vpc/test/node";
import { Miniflare } from "miniflare";
import { expect, test } from "vitest";
import { SERVICE } from "../setup/test-worker.ts";
import { createProject, type TemporaryProject } from "../wrangler/temporary-project.ts";

const CONFIG = {
  name: "api",
  main: "index.js",
  compatibility_date: "2026-01-01",
  vpc_services: [{ binding: "API", service_id: SERVICE }],
};
const WORKER = 'export default { fetch: (_, env) => env.API.fetch("http://api.internal/users/7") };\n';
const vpc = { config: { services: { API: (): Response => new Response("from the config") } } };

function project(): TemporaryProject & { configPath: string } {
  const made = createProject({ "wrangler.jsonc": CONFIG, "index.js": WORKER });
  return { ...made, configPath: path.join(made.folder, "wrangler.jsonc") };
}

const dev = { server: { port: 0 }, inspector: false, persist: false, logLevel: "error" } as const;
const OTHER = "connectVpc(): this session doesn't load miniflare-vpc. ";

test("getPlatformProxy: each proxy has its own scenario", { timeout: 60_000 }, async () => {
  using here = project();
  const start = (): ReturnType<typeof getPlatformProxy<{ API: { fetch: typeof fetch } }>> =>
    getPlatformProxy({ configPath: here.configPath, persist: false, vpc });
  const one = await start();
  const other = await start();
  try {
    expect(Object.keys(one.env)).toEqual(["API"]);
    await using directed = await connectVpc(one);
    await directed.on("API", "GET /users/:id").respond({ text: "user {id}" });
    const ask = async ({ env }: typeof one): Promise<string> =>
      (await env.API.fetch("http://api.internal/users/7")).text();
    expect(await ask(one)).toBe("user 7");
    expect(await ask(other)).toBe("from the config");
    expect((await directed.requests()).map(({ url }) => url)).toEqual(["http://api.internal/users/7"]);
  } finally {
    await one.dispose();
    await other.dispose();
  }
});

test("unstable_startWorker", { timeout: 60_000 }, async () => {
  using here = project();
  const worker = await unstable_startWorker({ config: here.configPath, dev, vpc });
  try {
    await using directed = await connectVpc(worker);
    await directed.on("API").respond(({ url }) => Response.json({ asked: url.pathname }));
    expect(await (await worker.fetch("http://api/")).json()).toEqual({ asked: "/users/7" });
  } finally {
    await worker.dispose();
  }
});

test("unstable_startWorker without a VPC binding is refused at once", { timeout: 60_000 }, async () => {
  const { vpc_services: _, ...config } = CONFIG;
  using here = createProject({ "wrangler.jsonc": config, "index.js": WORKER });
  const worker = await unstable_startWorker({ config: path.join(here.folder, "wrangler.jsonc"), dev });
  try {
    await expect(connectVpc(worker)).rejects.toThrow(OTHER);
  } finally {
    await worker.dispose();
  }
});

test("createTestHarness: rules stay when it is updated or reset", { timeout: 90_000 }, async () => {
  using here = project();
  const harness = createTestHarness({ workers: [{ configPath: here.configPath }], vpc });
  await expect(connectVpc(harness)).rejects.toThrow(
    new TypeError("connectVpc(): the test harness doesn't run yet. Call its listen() first."),
  );
  await harness.listen();
  try {
    await using directed = await connectVpc(harness);
    const get = async (): Promise<string> => (await harness.fetch("/")).text();
    await directed.on("API").respond({ text: "from a rule" });
    expect(await get()).toBe("from a rule");
    await harness.update((options) => options);
    expect(await get()).toBe("from a rule");
    await harness.reset();
    expect(await get()).toBe("from a rule");
    expect(await directed.requests()).toHaveLength(3);
    await directed.reset();
    expect(await get()).toBe("from the config");
    expect(Object.keys(await harness.getWorker().getEnv())).not.toContain("MINIFLARE_VPC");
  } finally {
    await harness.close();
  }
});

test("anything else is refused in words", async () => {
  const config = {
    name: "api",
    compatibilityDate: "2026-01-01",
    manifest: { mainModule: "a.js", modules: { "a.js": { type: "esm", contents: WORKER } } },
    env: {},
  } as const;
  const miniflare = new Miniflare({ workers: [{ config }] });
  try {
    await expect(connectVpc(miniflare)).rejects.toThrow(OTHER);
    await expect(connectVpc({})).rejects.toThrow(OTHER);
  } finally {
    await miniflare.dispose();
  }
});
