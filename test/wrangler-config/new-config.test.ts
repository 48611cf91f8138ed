/** A `cloudflare.config.ts`, read by wrangler's own reader, for the commands, `dev` and `getPlatformProxy`. */

import { readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { getPlatformProxy } from "miniflare-vpc/wrangler";
import { expect, test } from "vitest";
import type { NodeHyperdrive } from "../../plugin/miniflare/hyperdrive-binding.ts";
import { readWrangler } from "../../plugin/wrangler-config/read-wrangler.ts";
import { siblingPid } from "../../plugin/wrangler-config/sibling.ts";
import { ANSWER, DATABASE_WORKER, HYPERDRIVE_ID, startDatabase, vpcConfig } from "../hyperdrive/database-project.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import type { TestServer } from "../servers/tcp-server.ts";
import { MINIFLARE_VPC, run, serve } from "../wrangler/run.ts";
import { createProject, type TemporaryProject } from "../wrangler/temporary-project.ts";

const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";

const CONFIG = `import { TITLE } from "./title.ts";
const config: unknown = ({ mode }: { mode?: string }) => ({
  worker: {
    name: mode === undefined ? "shop" : \`shop-of-\${mode}\`,
    compatibilityDate: "2026-08-01",
    entrypoint: "./src/index.ts",
    env: {
      USERS: { type: "vpc-service", id: "${SERVICE}" },
      NET: { type: "vpc-network", tunnelId: "550e8400-e29b-41d4-a716-446655440000" },
      TITLE: { type: "text", value: \`\${TITLE} \${mode}\` },
    },
  },
});
export default config;
`;

const WORKER = `export default {
  async fetch(_request: Request, env: { TITLE: string; USERS: Fetcher }) {
    return new Response(env.TITLE + ": " + (await (await env.USERS.fetch("http://users.internal/")).text()));
  },
};`;

function project(port = 1): TemporaryProject {
  return createProject({
    "cloudflare.config.ts": CONFIG,
    "title.ts": 'export const TITLE = "title";',
    "src/index.ts": WORKER,
    "vpc.jsonc": { services: { USERS: `http://127.0.0.1:${port}` }, networks: { NET: { routes: {} } } },
  });
}

async function call(at: TemporaryProject, line: string): Promise<{ exit: unknown; output: string }> {
  await using running = run(MINIFLARE_VPC, line.split(" "), { project: at });
  const exit = await running.ended();
  return { exit, output: running.output() };
}

test("check, explain and routes read it; --env is its mode", { timeout: 120_000 }, async () => {
  using at = project();
  expect(await call(at, "check")).toEqual({ exit: 0, output: "No problems in cloudflare.config.ts, vpc.jsonc.\n" });
  const explained = await call(at, "explain USERS http://users.internal/");
  expect(explained).toMatchObject({ exit: 0, output: expect.stringContaining('USERS of Worker "shop", VPC Service') });
  const routes = await call(at, "routes --env staging");
  expect(routes).toMatchObject({ exit: 0, output: expect.stringContaining("USERS of shop-of-staging") });
});

test.each([[[]], [["--experimental-new-config"]]])(
  "dev %j serves its bindings, and takes over an edit",
  { timeout: 120_000 },
  async (flags) => {
    await using origin = await startHttpOrigin(ok("from the origin"));
    using at = project(origin.port);
    // The flag decides even if there is a wrangler config.
    if (flags.length > 0) at.write("wrangler.json", { name: "other", main: "none.js" });
    await using server = await serve(MINIFLARE_VPC, ["dev", "--env", "staging", ...flags], { project: at });
    expect(await server.get("/")).toBe("title staging: from the origin");
    expect(server.output()).toMatch(/env\.USERS \(.*\) +VPC Service +local/);
    at.write("cloudflare.config.ts", CONFIG.replace("${TITLE} ${mode}", "edited"));
    await expect.poll(() => server.get("/").catch(String), { timeout: 60_000 }).toBe("edited: from the origin");
    await server[Symbol.asyncDispose]();
    expect(at.leftovers()).toEqual([]);
  },
);

test("getPlatformProxy serves its bindings", { timeout: 120_000 }, async () => {
  await using origin = await startHttpOrigin(ok("from the origin"));
  using at = project(origin.port);
  const configPath = path.join(at.folder, "cloudflare.config.ts");
  const { env, dispose } = await getPlatformProxy<{ USERS: { fetch: typeof fetch }; TITLE: string }>({
    configPath,
    environment: "test",
    persist: false,
  });
  try {
    expect(env.TITLE).toBe("title test");
    expect(await (await env.USERS.fetch("http://users.internal/")).text()).toBe("from the origin");
  } finally {
    await dispose();
  }
});

test("what is wrong with it is said in wrangler's words", { timeout: 120_000 }, async () => {
  using at = project();
  at.write(
    "cloudflare.config.ts",
    'export default { worker: { name: "shop", env: { USERS: { type: "vpc-servic" } } } };',
  );
  const { exit, output } = await call(at, "check");
  expect(exit).toBe(1);
  expect(output).toMatch(
    /^cloudflare\.config\.ts: error: this wrangler config can't be read: Invalid `cloudflare\.config\.ts`/,
  );
  expect(await call(at, "dev")).toMatchObject({
    exit: 1,
    output: expect.stringContaining("Invalid `cloudflare.config.ts`"),
  });
});

test("an older wrangler, which can't read it, is named; so is one that isn't there", () => {
  using at = project();
  rmSync(path.join(at.folder, "node_modules/wrangler"));
  const manifest = { name: "wrangler", version: "4.120.1", bin: { wrangler: "./bin/wrangler.js" } };
  at.write("node_modules/wrangler/package.json", { ...manifest, exports: { "./package.json": "./package.json" } });
  const { config, diagnostics } = readWrangler(path.join(at.folder, "cloudflare.config.ts"));
  expect(config).toBeUndefined();
  expect(diagnostics[0]?.text).toMatch(/the installed wrangler can't read it yet/);
  expect(diagnostics[0]?.notes.join()).toContain("npm install --save-dev wrangler@latest");
});

test("--config together with --experimental-new-config is an error, as for wrangler", { timeout: 60_000 }, async () => {
  using at = project();
  at.write("wrangler.json", { name: "other" });
  const { exit, output } = await call(at, "dev -c wrangler.json --experimental-new-config");
  expect(exit).toBe(1);
  expect(output).toMatch(/wrangler refuses both together/);
});

const HYPERDRIVE = `export default {
  worker: {
    name: "shop",
    compatibilityDate: "2026-08-01",
    entrypoint: "./index.js",
    env: {
      DB: { type: "hyperdrive", id: "${HYPERDRIVE_ID}" },
      OTHER: { type: "hyperdrive", id: "1d1f6b5f2b6b4c3aa5f0c4d7b3c1e9aa" },
    },
  },
};`;

function databaseAt(database: TestServer, files: Record<string, string | object> = {}): TemporaryProject {
  const { services, hyperdrive } = vpcConfig(database) as Record<"services" | "hyperdrive", { DB?: object }>;
  return createProject({
    "cloudflare.config.ts": HYPERDRIVE,
    "index.js": DATABASE_WORKER,
    "vpc.jsonc": { services, hyperdrive: { ...hyperdrive, OTHER: hyperdrive.DB } },
    ...files,
  });
}

test("Hyperdrive bindings without a connection string, for every command", { timeout: 120_000 }, async () => {
  await using database = await startDatabase();
  using at = databaseAt(database);
  expect(await call(at, "check")).toEqual({ exit: 0, output: "No problems in cloudflare.config.ts, vpc.jsonc.\n" });
  const target = `localhost:${database.port}`;
  expect(await call(at, "explain DB")).toMatchObject({ exit: 0, output: expect.stringContaining(target) });
  expect(await call(at, "routes")).toMatchObject({ exit: 0, output: expect.stringContaining("DB of shop, OTHER of") });
  rmSync(path.join(at.folder, "vpc.jsonc"));
  expect(await call(at, "init")).toMatchObject({ exit: 0, output: expect.stringContaining("env.OTHER") });
});

test(
  "dev serves a Hyperdrive binding, and leaves one with a connection string of its own",
  { timeout: 120_000 },
  async () => {
    await using database = await startDatabase();
    await using own = await startDatabase();
    const variable = "CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_OTHER";
    using at = databaseAt(database);
    const env = { [variable]: `postgres://me:secret@127.0.0.1:${own.port}/mine` };
    await using server = await serve(MINIFLARE_VPC, ["dev"], { project: at, env });
    expect(JSON.parse(await server.get("/"))).toEqual(ANSWER);
    expect(server.output()).toContain(`has a connection string of its own, in the variable ${variable}`);
    const siblings = readdirSync(at.folder).filter((name) => siblingPid(name) !== undefined);
    expect(siblings.length).toBeGreaterThan(0);
    for (const name of siblings) expect(readFileSync(path.join(at.folder, name), "utf8")).not.toContain("secret@");
  },
);

test("getPlatformProxy serves a Hyperdrive binding", { timeout: 120_000 }, async () => {
  await using database = await startDatabase();
  using at = databaseAt(database);
  const configPath = path.join(at.folder, "cloudflare.config.ts");
  const { env, dispose } = await getPlatformProxy<{ DB: NodeHyperdrive }>({ configPath, persist: false });
  try {
    expect(env.DB.database).toBe("orders");
    expect(env.DB.connectionString).toContain("@127.0.0.1:");
  } finally {
    await dispose();
  }
});

test("getPlatformProxy throws for one that can't be read", { timeout: 120_000 }, async () => {
  using at = project();
  at.write("cloudflare.config.ts", "throw new Error('not today');");
  const configPath = path.join(at.folder, "cloudflare.config.ts");
  const proxy = getPlatformProxy({ configPath, persist: false });
  await expect(proxy).rejects.toThrow(/this wrangler config can't be read: .*not today/s);
});
