/** A `cloudflare.config.ts`, read by wrangler's own reader, for the commands, `dev` and `getPlatformProxy`. */

import { rmSync } from "node:fs";
import path from "node:path";
import { getPlatformProxy } from "miniflare-vpc/wrangler";
import { expect, test } from "vitest";
import { readWrangler } from "../../plugin/wrangler-config/read-wrangler.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
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
