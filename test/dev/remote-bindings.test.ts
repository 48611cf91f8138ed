/** The bindings that need a login, and the message of `miniflare-vpc dev` if wrangler ends without one. */

import { readFileSync, unlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadDevProject } from "../../plugin/dev/load-dev-project.ts";
import { describeRemote } from "../../plugin/dev/remote-bindings.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { NO_SIGNALS, describeOn } from "../setup/only-on.ts";
import { MINIFLARE_VPC, run } from "../wrangler/run.ts";
import { createProject, type TemporaryProject, REPOSITORY } from "../wrangler/temporary-project.ts";

const BASE = { name: "api", main: "index.js", compatibility_date: "2026-01-01" };

async function remoteIn(config: object, env?: string, vpc: object = {}): Promise<string[]> {
  using project = createProject({ "wrangler.json": JSON.stringify({ ...BASE, ...config }), "vpc.jsonc": vpc });
  const file = path.join(project.folder, "wrangler.json");
  const loaded = await loadDevProject({ sources: [{ file, userFile: file }], env, workerName: undefined });
  expect(loaded.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const described = loaded.project === undefined ? [] : describeRemote(loaded.project, env);
  return described.map((text) => text.replace(/ \(.*wrangler\.json:1:\d+\)$/, ""));
}

test("finds every binding that is always remote", async () => {
  const one = "agent_memory ai_search ai_search_namespaces k2 websearch".split(" ");
  const lists = Object.fromEntries(one.map((key) => [key, [{ binding: key.toUpperCase() }]]));
  const config = { ...lists, ai: { binding: "AI" }, analytics: { binding: "SQL" }, media: { binding: "MEDIA" } };
  expect((await remoteIn(config)).toSorted()).toEqual(
    ["AI", "MEDIA", "SQL", ...one.map((key) => key.toUpperCase())].toSorted(),
  );
});

test("finds every binding with remote: true, in every section", async () => {
  const config = {
    kv_namespaces: [
      { binding: "KV", id: "a", remote: true },
      { binding: "LOCAL", id: "b" },
      { binding: "OFF", id: "c", remote: false },
    ],
    queues: { producers: [{ binding: "JOBS", queue: "jobs", remote: true }], consumers: [{ queue: "jobs" }] },
    browser: { binding: "BROWSER", remote: true },
    send_email: [{ name: "MAIL", remote: true }],
    // None of these is a remote binding of this session.
    vars: { THING: { binding: "VAR", remote: true } },
    previews: { ai: { binding: "PREVIEW_AI" } },
    env: { staging: { ai: { binding: "STAGING_AI" } } },
  };
  expect(await remoteIn(config)).toEqual(["KV", "JOBS", "BROWSER", "MAIL"]);
  expect(await remoteIn(config, "staging")).toEqual(["STAGING_AI"]);
});

test('finds bindings that are "remote" in the vpc config', async () => {
  const config = {
    vpc_services: [
      { binding: "USERS", service_id: SERVICE, remote: true },
      { binding: "NET", service_id: TUNNEL },
    ],
  };
  const vpc = { services: { USERS: "http://localhost:1", NET: "remote" } };
  expect(await remoteIn(config, undefined, vpc)).toEqual(['NET ("remote" in the vpc config)']);
});

const WITH_AI = {
  ...BASE,
  ai: { binding: "AI" },
  vpc_services: [{ binding: "USERS", service_id: SERVICE }],
};

test("wrangler's request for a token is explained", { timeout: 60_000 }, async () => {
  using project = createProject({
    "wrangler.json": WITH_AI,
    "index.js": "export default {};",
    "vpc.jsonc": { services: { USERS: "http://localhost:1" } },
  });
  await using running = run(MINIFLARE_VPC, ["dev", "--port", "0", "--inspector-port", "0"], { project });
  expect(await running.ended()).toBe(1);
  expect(running.output()).toMatch(
    /CLOUDFLARE_API_TOKEN[^]*wrangler needs a login for remote bindings: AI \(wrangler\.json:\d+:\d+\)\. Without a login, use --local to run the rest\./,
  );
});

/** A project whose wrangler is only this launcher. */
function projectWith(launcher: string): TemporaryProject {
  const project = createProject({
    "wrangler.json": WITH_AI,
    "vpc.jsonc": { services: { USERS: "http://localhost:1" } },
  });
  unlinkSync(path.join(project.folder, "node_modules/wrangler"));
  const manifest: object = JSON.parse(
    readFileSync(path.join(REPOSITORY, "node_modules/wrangler/package.json"), "utf8"),
  );
  project.write("node_modules/wrangler/package.json", { ...manifest, bin: { wrangler: "./launcher.cjs" } });
  project.write("node_modules/wrangler/launcher.cjs", launcher);
  return project;
}

describeOn("posix", NO_SIGNALS, "a signal", () => {
  test.each([
    ["wrangler is killed by SIGKILL", 'process.kill(process.pid, "SIGKILL");', "SIGKILL", "SIGKILL"],
    [
      "wrangler is killed by SIGTERM",
      'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000);',
      "SIGTERM",
      "SIGTERM",
    ],
    ["wrangler's launcher exits with 137", "process.exit(137);", "SIGKILL", 137],
  ] as const)("the signal that ended wrangler is named: %s", async (_, launcher, signal, exit) => {
    using project = projectWith(launcher);
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    expect(await running.ended()).toBe(exit);
    expect(running.output()).toContain(`miniflare-vpc: wrangler was ended by ${signal}.`);
    expect(running.output()).not.toContain("needs a login");
    expect(project.leftovers()).toEqual([]);
  });

  test("no message follows if the user ends wrangler", async () => {
    using project = projectWith(
      'process.on("SIGTERM", () => process.exit(143)); console.log("started"); setInterval(() => {}, 1000);',
    );
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    await running.printed(/started/);
    running.signal("SIGTERM");
    expect(await running.ended()).toBe(143);
    expect(running.output()).not.toContain("was ended by");
  });
});

test.each([
  ["a failure under --local", "process.exit(1);", ["dev", "--local"], 1],
  ["a normal end", "process.exit(0);", ["dev"], 0],
] as const)("no message follows %s", async (_, launcher, args, exit) => {
  using project = projectWith(launcher);
  await using running = run(MINIFLARE_VPC, args, { project });
  expect(await running.ended()).toBe(exit);
  expect(running.output()).not.toMatch(/was ended by|needs a login/);
});
