/** Every way in refuses a wrangler, Vite plugin or vitest pool that is too old, with a message. */

import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import {
  createTestHarness,
  getPlatformProxy,
  unstable_startWorker,
  withVpc as withVpcForProxy,
} from "miniflare-vpc/wrangler";
import { withVpc as withVpcForVite } from "miniflare-vpc/vite";
import { withVpc as withVpcForVitest } from "miniflare-vpc/vitest";
import { Log, type MiniflareOptions } from "miniflare";
import { expect, test } from "vitest";
import { isTooOld, oldMiniflareIn } from "../../plugin/miniflare/old-miniflare.ts";
import { plugin } from "../../plugin/miniflare/plugin.ts";
import { manifest, startMiniflare } from "../capnp/start-miniflare.ts";
import { MINIFLARE_VPC, run } from "../wrangler/run.ts";
import { createProject, type TemporaryProject, REPOSITORY } from "../wrangler/temporary-project.ts";

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

test.each([
  ["^4.20260401.0", true],
  ["^5.20260804.0-alpha", false],
  ["https://pkg.example/miniflare@1", false],
  ["workspace:*", false],
])("a package that pins miniflare %s is too old: %s", (range, isOld) => {
  expect(isTooOld(range)).toBe(isOld);
});

test("a Miniflare with another plugin API is refused; the message names the oldest versions", () => {
  // Miniflare 4 passes the options of each Worker to a plugin, without a `config`.
  const options = [{ name: "api", bindings: {} }] as never;
  expect(() => plugin.getExtensions?.({ options })).toThrow(/wrangler 4\.120\.1, .*vitest-plugin 1\.0\.0/);
});

/** A project whose wrangler is older than Miniflare's plugins. */
function projectWithOldWrangler(): TemporaryProject {
  const project = createProject({
    "wrangler.jsonc": { name: "api", main: "index.js", compatibility_date: "2026-01-01" },
  });
  rmSync(path.join(project.folder, "node_modules/wrangler"));
  project.write("node_modules/wrangler/package.json", {
    version: "4.80.0",
    bin: { wrangler: "./bin/wrangler.js" },
    dependencies: { miniflare: "4.20260401.0" },
  });
  return project;
}

const OLD_WRANGLER =
  /wrangler 4\.80\.0 in .*wrangler contains Miniflare 4\.20260401\.0, .* wrangler 4\.120\.1 or newer/;

test.each<[string, (configPath: string) => unknown]>([
  ["withVpc", (configPath) => withVpcForProxy({ configPath })],
  ["getPlatformProxy", (configPath) => getPlatformProxy({ configPath })],
  ["unstable_startWorker", (config) => unstable_startWorker({ config })],
  [
    "createTestHarness",
    (configPath) => createTestHarness({ root: path.dirname(configPath), workers: [{ configPath }] }),
  ],
])("%s refuses an old wrangler", async (_, start) => {
  using project = projectWithOldWrangler();
  const starting = async (): Promise<unknown> => start(path.join(project.folder, "wrangler.jsonc"));
  await expect(starting()).rejects.toThrow(OLD_WRANGLER);
  expect(project.leftovers()).toEqual([]);
});

test("miniflare-vpc dev refuses an old wrangler", async () => {
  using project = projectWithOldWrangler();
  await using running = run(MINIFLARE_VPC, ["dev"], { project });
  expect(await running.ended()).toBe(1);
  expect(running.output()).toMatch(OLD_WRANGLER);
});

const OLD_HOST =
  /miniflare 4\.20260401\.0 in .* Install at least one of these versions:\s+wrangler 4\.120\.1, .*vitest-plugin 1\.0\.0, /;

test.each([
  ["@cloudflare/vite-plugin", withVpcForVite<object>, { configPath: "wrangler.jsonc" }],
  ["@cloudflare/vitest-plugin", withVpcForVitest<object>, { wrangler: { configPath: "wrangler.jsonc" } }],
  ["@cloudflare/vitest-pool-workers", withVpcForVitest<object>, { wrangler: { configPath: "wrangler.jsonc" } }],
])("withVpc refuses an old %s", (packageName, withVpc, options) => {
  using project = createProject({});
  project.write(`node_modules/${packageName}/package.json`, { version: "0.1.0", exports: { import: "./index.js" } });
  project.write(`node_modules/${packageName}/node_modules/miniflare/package.json`, { version: "4.20260401.0" });
  const before = process.cwd();
  process.chdir(project.folder);
  try {
    expect(() => withVpc(options)).toThrow(OLD_HOST);
    // The package has two names, and the host may use the other one.
    if (withVpc !== withVpcForVitest<object>) return;
    for (const name of ["vitest-plugin", "vitest-pool-workers"].filter((each) => !packageName.endsWith(each))) {
      project.write(`node_modules/@cloudflare/${name}/package.json`, { version: "1.5.0" });
      project.write(`node_modules/@cloudflare/${name}/node_modules/miniflare/package.json`, {
        version: "5.20261117.0-beta",
      });
    }
    expect(withVpc(options)).toMatchObject({ remoteBindings: false });
  } finally {
    process.chdir(before);
  }
});

test.each([
  [
    "prints a message if an old Miniflare did not replace its binding",
    { MINIFLARE_VPC: { type: "text", value: "here" } },
    1,
  ],
  ["prints nothing otherwise", {}, 0],
] as const)("the Worker of local.json %s", async (_, env, count) => {
  const lines: string[] = [];
  const contents = readFileSync(path.join(REPOSITORY, "plugin/miniflare/local-worker.mjs"), "utf8");
  const options: MiniflareOptions = {
    log: new Log(),
    handleStructuredLogs: ({ message }: { message: string }) => void lines.push(message),
    workers: [{ config: { name: "local", compatibilityDate: "2026-01-01", env, manifest: manifest(contents) } }],
  };
  await using miniflare = startMiniflare(options);
  await miniflare.ready;
  expect(lines.filter((line) => line.includes("this wrangler is too old"))).toHaveLength(count);
});
