/** `miniflare-vpc dev --record`: the file is there at the end, whatever the end, and never before it. */

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Har } from "../../plugin/recordings/har.ts";
import { REDACTED } from "../../plugin/recordings/har.ts";
import { DEV_PID } from "../../plugin/miniflare/follow-dev.ts";
import { findMarkedProcesses } from "../../plugin/system/marked-processes.ts";
import { checkHar } from "./check-har.ts";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { NO_SIGNALS, testOn } from "../setup/only-on.ts";
import { MINIFLARE_VPC, type Server, run, serve } from "../wrangler/run.ts";
import { type TemporaryProject, createProject } from "../wrangler/temporary-project.ts";

const WORKER = `export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const headers = { authorization: "Bearer secret-of-the-worker-1" };
    try {
      return await env.USERS.fetch("http://users.internal" + pathname + "?page=1", { headers });
    } catch (error) {
      return new Response(error.message, { status: 500 });
    }
  },
};`;

let origin: HttpOrigin;

beforeAll(async () => {
  origin = await startHttpOrigin((request) => (request.startsWith("GET /hang") ? undefined : ok("answer")));
});
afterAll(() => origin[Symbol.asyncDispose]());

function makeProject(): TemporaryProject {
  return createProject({
    "wrangler.jsonc": {
      name: "api",
      main: "index.js",
      compatibility_date: "2026-01-01",
      vpc_services: [{ binding: "USERS", service_id: SERVICE }],
      vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL }],
    },
    "index.js": WORKER,
    "vpc.jsonc": { services: { USERS: `127.0.0.1:${origin.port}` }, networks: { NET: { routes: {} } } },
  });
}

function readHar({ folder }: TemporaryProject, name = "vpc.har"): Har {
  return checkHar(JSON.parse(readFileSync(path.join(folder, name), "utf8")));
}

/** @returns the files of a recording, whole or not */
function recordings({ folder }: TemporaryProject): string[] {
  return readdirSync(folder).filter((name) => /har|tmp/.test(name));
}

async function processesOf({ folder }: TemporaryProject, wanted: RegExp): Promise<number[]> {
  const sibling = readdirSync(folder).find((name) => name.startsWith(".wrangler-vpc-")) ?? "";
  const dev = /^\.wrangler-vpc-(\d+)/.exec(sibling)?.[1];
  const marked = await findMarkedProcesses(`${DEV_PID}=${dev}`);
  return marked.filter(({ command }) => wanted.test(command)).map(({ pid }) => pid);
}

async function kill(project: TemporaryProject, wanted: RegExp): Promise<void> {
  const found = await processesOf(project, wanted);
  expect(found).not.toEqual([]);
  for (const pid of found) process.kill(pid, "SIGKILL");
}

const ENDS: [how: string, end: (server: Server, project: TemporaryProject) => Promise<void> | void][] = [
  ["SIGINT", (server) => server.signal("SIGINT")],
  ["SIGTERM", (server) => server.signal("SIGTERM")],
  ["SIGHUP", (server) => server.signal("SIGHUP")],
  ["wrangler is killed", (_, project) => kill(project, /wrangler-dist/)],
];

describe("the file is written as a whole, and only at the end", () => {
  for (const [how, end] of ENDS) {
    testOn("posix", NO_SIGNALS, how, { timeout: 120_000 }, async () => {
      using project = makeProject();
      await using server = await serve(MINIFLARE_VPC, ["dev", "--record"], { project });
      expect(await server.get("/one")).toBe("answer");
      expect(await server.get("/two")).toBe("answer");
      expect(recordings(project)).toEqual([]);
      await end(server, project);
      await server.ended();
      expect(recordings(project)).toEqual(["vpc.har"]);
      expect(statSync(path.join(project.folder, "vpc.har")).mode & 0o777).toBe(0o600);
      const { log } = readHar(project);
      expect(log.creator.name).toBe("miniflare-vpc");
      expect(log.entries.map(({ request, response }) => [request.url, response.status])).toEqual([
        ["http://users.internal/one?page=1", 200],
        ["http://users.internal/two?page=1", 200],
      ]);
      expect(new Set(log.entries.map(({ _binding, _worker }) => `${_binding} of ${_worker}`))).toEqual(
        new Set(["USERS of api"]),
      );
      expect(server.output()).toContain("Recorded 2 calls in vpc.har.");
      const text = readFileSync(path.join(project.folder, "vpc.har"), "utf8");
      expect(text).not.toContain("secret-of-the-worker");
      expect(text).toContain(REDACTED);
      expect(project.leftovers()).toEqual([]);
    });
  }
});

testOn("posix", NO_SIGNALS, "a crash of the runtime", { timeout: 120_000 }, async () => {
  using project = makeProject();
  await using server = await serve(MINIFLARE_VPC, ["dev", "--record", "sub/users.har"], { project });
  expect(await server.get("/one")).toBe("answer");
  await kill(project, /workerd serve/);
  await expect.poll(() => existsSync(path.join(project.folder, "sub/users.har")), { timeout: 60_000 }).toBe(true);
  expect(readHar(project, "sub/users.har").log.entries).toHaveLength(1);
});

test("what had not ended or has failed is left out and counted; an earlier recording is replaced", async () => {
  using project = makeProject();
  project.write("vpc.har", "an earlier one");
  project.write("vpc.jsonc", {
    services: { USERS: `127.0.0.1:${origin.port}` },
    networks: { NET: { routes: {} } },
  });
  await using server = await serve(MINIFLARE_VPC, ["dev", "--record"], { project });
  expect(await server.get("/one")).toBe("answer");
  const hanging = server.get("/hang").catch(() => undefined);
  await expect
    .poll(() => origin.requests.some((request) => request.startsWith("GET /hang")), { timeout: 30_000 })
    .toBe(true);
  project.write("vpc.jsonc", {
    services: { USERS: { deny: "connection_refused" } },
    networks: { NET: { routes: {} } },
  });
  await server.printed(/Applied vpc\.jsonc/);
  expect(await server.get("/refused")).toContain("500");
  expect(readFileSync(path.join(project.folder, "vpc.har"), "utf8")).toBe("an earlier one");
  server.signal("SIGTERM");
  await server.ended();
  await hanging;
  expect(readHar(project).log.entries.map(({ request }) => request.url)).toEqual(["http://users.internal/one?page=1"]);
  expect(server.output()).toMatch(/Recorded 1 call in vpc\.har\. Left out: 1 that failed, 1 that had not ended\./);
}, 120_000);

test("a session without a call leaves an earlier recording as it is", async () => {
  using project = makeProject();
  project.write("vpc.har", "an earlier one");
  await using server = await serve(MINIFLARE_VPC, ["dev", "--record"], { project });
  server.signal("SIGTERM");
  await server.ended();
  expect(readFileSync(path.join(project.folder, "vpc.har"), "utf8")).toBe("an earlier one");
  expect(server.output()).not.toContain("Recorded");
}, 120_000);

test("under CI it serves, and records nothing", async () => {
  using project = makeProject();
  await using server = await serve(MINIFLARE_VPC, ["dev", "--record"], { project, env: { CI: "true" } });
  expect(await server.get("/one")).toBe("answer");
  server.signal("SIGTERM");
  await server.ended();
  expect(recordings(project)).toEqual([]);
  expect(server.output()).toContain(
    "miniflare-vpc: --record records nothing under CI; the session is served as without it.",
  );
}, 120_000);

test("a place that can't be written is named, and the calls are elsewhere", async () => {
  using project = makeProject();
  mkdirSync(path.join(project.folder, "sub"));
  await using server = await serve(MINIFLARE_VPC, ["dev", "--record", "sub/users.har"], { project });
  expect(await server.get("/one")).toBe("answer");
  // Also for root, which may write into any folder.
  rmSync(path.join(project.folder, "sub"), { recursive: true });
  project.write("sub", "a file in place of the folder");
  server.signal("SIGTERM");
  await server.ended();
  const [, place = ""] = await server.printed(
    /Can't write the recording sub\/users\.har: E\w+: .*\. Its 1 call are in (\S+\.har) instead\./,
  );
  expect((JSON.parse(readFileSync(place, "utf8")) as Har).log.entries).toHaveLength(1);
  rmSync(place);
}, 120_000);

test("a word after --record that is neither a recording nor a script", async () => {
  using project = makeProject();
  await using running = run(MINIFLARE_VPC, ["dev", "--record", "foo"], { project });
  expect(await running.ended()).toBe(2);
  expect(running.output()).toContain(
    'there is no file "foo", which wrangler takes for the Worker\'s script because it doesn\'t end in ".har". To record in it, write --record=foo.',
  );
}, 120_000);

test("a folder can't be a recording", async () => {
  using project = makeProject();
  mkdirSync(path.join(project.folder, "sub.har"));
  await using running = run(MINIFLARE_VPC, ["dev", "--record", "sub.har"], { project });
  expect(await running.ended()).toBe(2);
  expect(running.output()).toContain('"--record" can\'t be "sub.har", which is a folder.');
}, 120_000);
