/** `miniflare-vpc dev` serves the page that shows the traffic. */

import { readFileSync, readlinkSync, readdirSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { describeOn } from "../setup/only-on.ts";
import { SERVICE } from "../setup/test-worker.ts";
import { MINIFLARE_VPC, run, type Server, serve } from "../wrangler/run.ts";
import { createProject, type TemporaryProject } from "../wrangler/temporary-project.ts";
import { addressIn, get, readFeed } from "./start-shown.ts";

const stack = new AsyncDisposableStack();
let project: TemporaryProject;
let port: number;

beforeAll(async () => {
  const origin = stack.use(await startHttpOrigin(ok("from the origin")));
  ({ port } = origin);
  project = stack.use(
    createProject({
      "wrangler.jsonc": {
        name: "api",
        main: "index.js",
        compatibility_date: "2026-01-01",
        vpc_services: [{ binding: "USERS", service_id: SERVICE }],
      },
      "index.js": `export default { fetch: (request, env) => env.USERS.fetch("http://users.internal" + new URL(request.url).pathname) };`,
      "vpc.jsonc": { services: { USERS: `127.0.0.1:${port}` } },
    }),
  );
});
afterAll(() => stack.disposeAsync());

function startSession(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Server> {
  return serve(MINIFLARE_VPC, ["dev", ...args], { project, env });
}

test("its address is printed at the start, and it explains a call as the command does", async () => {
  await using session = await startSession([]);
  const url = addressIn(session.output());
  expect((await get(url)).statusCode).toBe(200);
  expect(await session.get("/users/1")).toBe("from the origin");
  await using feed = await readFeed(url);
  await expect.poll(() => [...feed.rows.values()], { timeout: 20_000 }).toMatchObject([{ worker: "api", status: 200 }]);
  const [row] = feed.rows.values();
  const { decision } = (await (await fetch(`${url}api/calls/${row?.id}`)).json()) as {
    decision: { heading: string; steps: { label: string; lines: string[] }[] };
  };
  await using explained = run(MINIFLARE_VPC, ["explain", "USERS", "http://users.internal/users/1"], { project });
  await explained.ended();
  const printed = decision.steps.flatMap(({ label, lines }) =>
    lines.map((line, index) => `${(index === 0 ? label : "").padEnd(11)}${line}`),
  );
  expect(explained.output()).toBe(`${decision.heading}\n\n${printed.join("\n")}\n`);
  expect(printed.join("\n")).toContain("vpc.jsonc:3:5");
}, 120_000);

test("an edit turns it off, and on again", async () => {
  project.write("vpc.jsonc", { ui: false, services: { USERS: `127.0.0.1:${port}` } });
  await using session = await startSession([]);
  expect(session.output()).not.toContain("Traffic");
  project.write("vpc.jsonc", { services: { USERS: `127.0.0.1:${port}` } });
  const [, url = ""] = await session.printed(/Traffic {2}(\S+)$/m);
  expect((await get(url)).statusCode).toBe(200);
  project.write("vpc.jsonc", { ui: false, services: { USERS: `127.0.0.1:${port}` } });
  const state = (): Promise<unknown> =>
    get(url).then(
      () => "served",
      (error: NodeJS.ErrnoException) => error.code,
    );
  await expect.poll(state, { timeout: 20_000 }).toBe("ECONNREFUSED");
  project.write("vpc.jsonc", { services: { USERS: `127.0.0.1:${port}` } });
}, 120_000);

test("CI has none, unless it is asked for, then on the port that the command line names", async () => {
  {
    await using quiet = await startSession([], { CI: "true" });
    expect(await quiet.get("/")).toBe("from the origin");
    expect(quiet.output()).not.toContain("Traffic");
  }
  const free = await freePort();
  await using session = await startSession(["--ui-port", String(free)], { CI: "true" });
  expect(new URL(addressIn(session.output())).port).toBe(String(free));
  await using second = run(MINIFLARE_VPC, ["dev", "--ui-port", String(free)], { project });
  expect(await second.ended()).toBe(1);
  expect(second.output()).toBe(
    `miniflare-vpc: can't listen on port ${free} for --ui-port: another program uses it. Choose another one with --ui-port PORT.\n`,
  );
}, 120_000);

async function freePort(): Promise<number> {
  await using server = await startHttpOrigin(ok(""));
  return server.port;
}

test("a port of the vpc config that is taken is replaced", async () => {
  project.write("vpc.jsonc", { ui: { port }, services: { USERS: `127.0.0.1:${port}` } });
  await using session = await startSession([]);
  expect(session.output()).toContain(`The port ${port} of the traffic page is taken, so it is served on another one.`);
  expect((await get(addressIn(session.output()))).statusCode).toBe(200);
  project.write("vpc.jsonc", { services: { USERS: `127.0.0.1:${port}` } });
}, 120_000);

test.each([["70000"], ["x"], ["-1"]])("dev --ui-port=%s ends with 2", async (text) => {
  await using running = run(MINIFLARE_VPC, ["dev", `--ui-port=${text}`], { project });
  expect(await running.ended()).toBe(2);
  expect(running.output()).toBe(
    `miniflare-vpc dev: "--ui-port" can't be ${JSON.stringify(text)}. Write a port from 0 to 65535.\n`,
  );
});

describeOn("linux", "it reads /proc", "the listeners of a session", () => {
  test("--no-ui means one fewer", async () => {
    const counts: number[] = [];
    for (const flag of ["--ui", "--no-ui"]) {
      await using session = await startSession([flag]);
      expect(await session.get("/")).toBe("from the origin");
      counts.push(listenersBelow(project.folder));
    }
    const [shown = 0, hidden = 0] = counts;
    expect(shown - hidden).toBe(1);
  }, 120_000);
});

/** TCP sockets that listen, of all processes with this working directory. */
function listenersBelow(folder: string): number {
  const sockets = new Set(
    ["tcp", "tcp6"].flatMap((table) =>
      readFileSync(`/proc/net/${table}`, "utf8")
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        // 0A: it listens.
        .flatMap(([, , , state, , , , , , inode = ""]) => (state === "0A" ? [`socket:[${inode}]`] : [])),
    ),
  );
  const own = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && linkAt(`/proc/${name}/cwd`) === folder)
    .flatMap((name) => readdirSync(`/proc/${name}/fd`).map((fd) => linkAt(path.join("/proc", name, "fd", fd))));
  return new Set(own.filter((link) => link !== undefined && sockets.has(link))).size;
}

/** A process may end at any time. */
function linkAt(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
