/** `miniflare-vpc dev` and wrangler alone, run for real on projects in temporary folders. */

import { execFileSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type HttpOrigin, ok, startHttpOrigin } from "./servers/http-origin.ts";
import { closedPort } from "./servers/tcp-server.ts";
import { MINIFLARE_VPC, run, serve, type Server, WRANGLER } from "./wrangler/run.ts";
import { createProject, type Project } from "./wrangler/temporary-project.ts";

const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";
const OTHER_SERVICE = "5e1f6f0e-5d8b-4b0c-8f57-0d1cf6b8a1c2";
const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

const WORKER = `export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/env") return Response.json(env[searchParams.get("name")] ?? null);
    const binding = env[pathname.slice(1)];
    if (binding === undefined) return new Response("no such binding", { status: 404 });
    try {
      return await binding.fetch(searchParams.get("url") ?? "http://users.internal/list");
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};`;

const TOML = `name = "api"
main = "src/index.js"
compatibility_date = "2026-01-01"

[vars]
GREETING = "top"

[assets]
directory = "public"

[[vpc_services]]
binding = "USERS"
service_id = "${SERVICE}"

[[vpc_networks]]
binding = "NET"
tunnel_id = "${TUNNEL}"

[env.staging.vars]
GREETING = "staging"

[[env.staging.vpc_services]]
binding = "USERS"
service_id = "${OTHER_SERVICE}"
`;

/** A project with one origin behind both bindings, and another in \`--env staging\`. */
function api({ first, second }: { first: HttpOrigin; second: HttpOrigin }): Project {
  return createProject({
    "wrangler.toml": TOML,
    "src/index.js": WORKER,
    "public/robots.txt": "from assets",
    ".dev.vars": "SECRET=from-dev-vars",
    "vpc.jsonc": {
      services: {
        [SERVICE]: `http://127.0.0.1:${first.port}`,
        [OTHER_SERVICE]: `http://127.0.0.1:${second.port}`,
      },
      networks: { [TUNNEL]: { routes: { "users.internal:80": `127.0.0.1:${first.port}` } } },
    },
  });
}

function routesTo(origin: HttpOrigin): object {
  return { routes: { "users.internal": `127.0.0.1:${origin.port}` } };
}

function apiWithout(lines: RegExp): Project {
  return createProject({ "wrangler.toml": TOML.replace(lines, ""), "src/index.js": WORKER, "vpc.jsonc": "{}" });
}

/** Edits take effect within a moment, and a restarting Worker answers with errors until then. */
async function answers(server: Server, path: string, expected: string): Promise<void> {
  const get = (): Promise<string> => server.get(path).catch(String);
  await expect.poll(get, { timeout: 20_000, interval: 50, message: server.output() }).toBe(expected);
}

test("everything wrangler dev does, with VPC bindings", { timeout: 120_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using project = api({ first, second });
  execFileSync("git", ["init", "--quiet"], { cwd: project.folder });
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });

  // The bindings show as local, and nothing warns of remote resources or experimental fields.
  expect(server.output()).toMatch(new RegExp(String.raw`env\.USERS \(${SERVICE}\)\s+VPC Service\s+local`));
  expect(server.output()).toMatch(new RegExp(String.raw`env\.NET \(${TUNNEL}\)\s+VPC Network\s+local`));
  expect(server.output()).not.toMatch(/WARNING|experimental|remote/);

  expect(await server.get("/USERS")).toBe("first");
  expect(await server.get("/NET")).toBe("first");
  expect(await server.get("/NET?url=http://elsewhere.internal/")).toBe("500 Error: ProxyError: destination_not_found");
  expect(await server.get("/env?name=SECRET")).toBe('"from-dev-vars"');
  expect(await server.get("/env?name=GREETING")).toBe('"top"');
  expect(await server.get("/robots.txt")).toBe("from assets");
  expect(project.leftovers()).toHaveLength(1);
  expect(execFileSync("git", ["status", "--porcelain"], { cwd: project.folder, encoding: "utf8" })).not.toContain(
    ".wrangler-vpc",
  );

  // The vpc config, replaced as editors do it.
  const vpc = { services: { [SERVICE]: `http://127.0.0.1:${second.port}` } };
  project.write("vpc.jsonc.new", vpc);
  renameSync(path.join(project.folder, "vpc.jsonc.new"), path.join(project.folder, "vpc.jsonc"));
  await answers(server, "/USERS", "second");

  // The source.
  project.write("src/index.js", WORKER.replace("no such binding", "new source"));
  await answers(server, "/NONE", "404 new source");

  // The wrangler config: broken, then with another binding.
  project.write("wrangler.toml", `${TOML}[vars`);
  await server.printed(/wrangler\.toml:\d+:\d+: error: .*not TOML/);
  expect(await server.get("/USERS")).toBe("second");
  const more = `[[vpc_services]]\nbinding = "MORE"\nservice_id = "${SERVICE}"\n`;
  project.write("wrangler.toml", TOML.replace('"top"', '"edited"') + more);
  await answers(server, "/MORE", "second");
  await answers(server, "/env?name=GREETING", '"edited"');

  server.signal("SIGINT");
  expect(await server.ended()).toBe(130);
  expect(project.leftovers()).toEqual([]);
});

test("--env, arguments, SIGTERM", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using project = api({ first, second });
  const args = ["dev", "--env=staging", "--var", "EXTRA:given", "--test-scheduled"];
  await using server = await serve(MINIFLARE_VPC, args, { project });
  expect(await server.get("/USERS")).toBe("second");
  expect(await server.get("/NET")).toBe("404 no such binding");
  expect(await server.get("/env?name=GREETING")).toBe('"staging"');
  expect(await server.get("/env?name=EXTRA")).toBe('"given"');
  server.signal("SIGTERM");
  expect(await server.ended()).toBe(143);
  expect(project.leftovers()).toEqual([]);
});

test("a hang-up ends wrangler and its runtime too", { timeout: 60_000 }, async () => {
  await using origin = await startHttpOrigin(ok("first"));
  using project = api({ first: origin, second: origin });
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  server.signal("SIGHUP");
  // Not before the last process that can print is gone.
  expect(await server.ended()).toBe("SIGHUP");
  await expect(server.get("/USERS")).rejects.toThrow("fetch failed");
  expect(project.leftovers()).toEqual([]);
});

test("traffic lines, and quiet under --log-level error, where failures still show", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using project = api({ first, second });
  {
    await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
    expect(await server.get("/USERS")).toBe("first");
    const target = `http://127\\.0\\.0\\.1:${first.port}`;
    await server.printed(new RegExp(`USERS {2}GET http://users\\.internal/list → ${target} {2}200 {2}\\d+ ms`));
  }
  const port = await closedPort();
  const args = ["dev", "--log-level", "error", "--port", String(port), "--inspector-port", "0"];
  await using quiet = run(MINIFLARE_VPC, args, { project });
  const get = (path: string): Promise<string> =>
    fetch(`http://localhost:${port}${path}`).then((answer) => answer.text());
  await expect.poll(() => get("/USERS").catch(String), { timeout: 40_000 }).toBe("first");
  expect(await get("/NET?url=http://elsewhere.internal/")).toContain("destination_not_found");
  await quiet.printed(/NET {2}GET http:\/\/elsewhere\.internal\/ {2}ProxyError: destination_not_found/);
  expect(quiet.output()).not.toContain("USERS  GET");
});

test("several configs, each with the vpc config beside it", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using project = createProject({
    "api/wrangler.jsonc": `{
      // as people write them
      "name": "api", "main": "index.js", "compatibility_date": "2026-01-01",
      "services": [{ "binding": "JOBS", "service": "jobs" }],
      "vpc_services": [{ "binding": "USERS", "service_id": "${SERVICE}" }],
    }`,
    "api/index.js": WORKER,
    "api/vpc.jsonc": { services: { [SERVICE]: `http://127.0.0.1:${first.port}` } },
    "jobs/wrangler.json": {
      name: "jobs",
      main: "index.js",
      compatibility_date: "2026-01-01",
      vpc_services: [{ binding: "USERS", service_id: SERVICE }],
    },
    "jobs/index.js": WORKER,
    "jobs/vpc.jsonc": { services: { [SERVICE]: `http://127.0.0.1:${second.port}` } },
  });
  const args = ["dev", "-c", "api/wrangler.jsonc", "--config=jobs/wrangler.json"];
  await using server = await serve(MINIFLARE_VPC, args, { project });
  expect(await server.get("/USERS")).toBe("first");
  expect(await server.get("/JOBS?url=http://jobs/USERS")).toBe("second");
  expect(project.leftovers()).toHaveLength(2);
  server.signal("SIGINT");
  await server.ended();
  expect(project.leftovers()).toEqual([]);
});

test("a binding that is remote is left to wrangler; an edit to or from it waits", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using project = api({ first, second });
  project.write("vpc.jsonc", { services: { [SERVICE]: "remote" }, networks: { [TUNNEL]: routesTo(first) } });
  // Without --local wrangler asks for a login.
  await using server = await serve(MINIFLARE_VPC, ["dev", "--local"], { project });
  expect(server.output()).toMatch(/env\.USERS \(.*\)\s+VPC Service\s+not supported/);
  expect(await server.get("/NET")).toBe("first");
  expect(await server.get("/USERS")).toContain("needs to be run remotely");

  const local = `http://127.0.0.1:${second.port}`;
  project.write("vpc.jsonc", { services: { [SERVICE]: local }, networks: { [TUNNEL]: routesTo(second) } });
  await answers(server, "/NET", "second");
  await server.printed(/vpc config no longer says "remote" of USERS: restart for this to take effect/);
  expect(await server.get("/USERS")).toContain("needs to be run remotely");
});

test("an entry that becomes remote does not end a session without a login", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  using project = api({ first, second: first });
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  expect(await server.get("/USERS")).toBe("first");
  const networks = { [TUNNEL]: routesTo(first) };
  project.write("vpc.jsonc", { services: { [SERVICE]: "remote" }, networks });
  await server.printed(/the vpc config now says "remote" of USERS: restart for this to take effect/);
  await expect.poll(() => server.get("/USERS"), { timeout: 10_000 }).toContain("500 Error: ProxyError:");
  project.write("wrangler.toml", TOML.replace('"top"', '"reloaded"'));
  await answers(server, "/env?name=GREETING", '"reloaded"');
  expect(await server.get("/USERS")).toContain("500 Error: ProxyError: destination_not_found");
  // And back.
  project.write("vpc.jsonc", { services: { [SERVICE]: `http://127.0.0.1:${first.port}` }, networks });
  await answers(server, "/USERS", "first");
  expect(await server.get("/NET")).toBe("first");
});

test("a built config that a tool redirects to, from another folder", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using inner = api({ first, second });
  using outer = createProject({});
  inner.write(".wrangler/deploy/config.json", { configPath: "../../dist/wrangler.json" });
  inner.write("dist/wrangler.json", {
    name: "api",
    topLevelName: "api",
    main: "../src/index.js",
    compatibility_date: "2026-01-01",
    vars: { GREETING: "built" },
    vpc_services: [{ binding: "USERS", service_id: SERVICE }],
  });
  await using server = await serve(MINIFLARE_VPC, ["dev", "--cwd", inner.folder], { project: outer });
  expect(await server.get("/USERS")).toBe("first");
  expect(await server.get("/env?name=GREETING")).toBe('"built"');
  expect(server.output()).not.toContain("WARNING");
});

test("wrangler alone, with a second config", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using project = api({ first, second });
  project.install();
  const args = ["dev", "--local", "-c", "wrangler.toml", "-c", "node_modules/miniflare-vpc/local.json"];
  await using server = await serve(WRANGLER, args, { project });
  expect(await server.get("/USERS")).toBe("first");
  expect(await server.get("/NET")).toBe("first");
  expect(await server.get("/env?name=SECRET")).toBe('"from-dev-vars"');
  expect(await server.get("/robots.txt")).toBe("from assets");
});

describe("a binding that wrangler refuses", () => {
  test("is shown with its place", async () => {
    using project = apiWithout(/service_id = .*/);
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    expect(await running.ended()).toBe(1);
    expect(running.output()).toMatch(/wrangler\.toml:11:3: warning: the binding "USERS" lacks a "service_id"/);
    expect(running.output()).toContain('bindings must have a "service_id" field');
  });

  test("with no other, wrangler says so of the user's own file", async () => {
    using project = apiWithout(/service_id = .*[^]*/);
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    expect(await running.ended()).toBe(1);
    expect(running.output()).toMatch(/wrangler\.toml:11:3: warning: the binding "USERS" lacks a "service_id"/);
    expect(running.output()).toContain("Processing wrangler.toml configuration");
    expect(running.output()).not.toContain("no vpc_services");
  });
});

describe("before wrangler starts", () => {
  test("a broken wrangler config is shown", async () => {
    using project = createProject({ "wrangler.jsonc": '{\n  "name": "api" "main": "x"\n}' });
    expect(await refused(project, ["dev"])).toContain(
      "wrangler.jsonc:2:17: error: this wrangler config can't be read: a comma is expected before",
    );
    expect(await refused(project, ["dev", "-c", "none.toml"])).toContain("none.toml: error:");
  });

  test("a broken vpc config is shown", async () => {
    using project = createProject({ "wrangler.toml": TOML, "vpc.jsonc": '{\n  "services": {\n' });
    expect(await refused(project, ["dev"])).toMatch(/^vpc\.jsonc:\d+:\d+: error: /m);
  });

  test("an unknown command is told apart from a slip", async () => {
    using project = createProject({});
    expect(await refused(project, ["devv"], 2)).toContain('Did you mean "miniflare-vpc dev"?');
    expect(await refused(project, ["deploy"], 2)).toContain("Everything else stays with wrangler");
    expect(await refused(project, [], 2)).toContain("miniflare-vpc <command>");
    expect(await refused(project, ["--help"], 0)).toMatch(/Exit codes: 0 .* 1 .* 2 /);
  });
});

test("the end of wrangler is the end of it, with the same exit code", async () => {
  using project = createProject({ "wrangler.toml": TOML.replace("src/index.js", "src/none.js"), "vpc.jsonc": "{}" });
  await using running = run(MINIFLARE_VPC, ["dev"], { project });
  expect(await running.ended()).toBe(1);
  expect(running.output()).toMatch(/src\/none\.js/);
  expect(project.leftovers()).toEqual([]);
});

describe("a vpc.config.* that leaves a timer and a signal handler behind", () => {
  const LINGERING = `setInterval(() => {}, 1000);
process.on("SIGTERM", () => {});
export default { services: { "${SERVICE}": "localhost:1" } };`;

  test("does not keep the command when wrangler fails", async () => {
    using project = createProject({ "wrangler.toml": TOML, "vpc.config.mjs": LINGERING });
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    expect(await running.ended()).toBe(1);
    expect(running.output()).toMatch(/src\/index\.js/);
    expect(project.leftovers()).toEqual([]);
  });

  test("nor when the config itself is broken", async () => {
    using project = createProject({
      "wrangler.toml": TOML,
      "vpc.config.mjs": LINGERING.replace("localhost:1", "localhost:x"),
    });
    expect(await refused(project, ["dev"])).toContain('the target "localhost:x"');
  });

  test("nor when wrangler is told to end", { timeout: 60_000 }, async () => {
    await using first = await startHttpOrigin(ok("first"));
    using project = api({ first, second: first });
    rmSync(path.join(project.folder, "vpc.jsonc"));
    project.write("vpc.config.mjs", LINGERING);
    await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
    server.signal("SIGTERM");
    expect(await server.ended()).toBe(143);
    expect(project.leftovers()).toEqual([]);
  });
});

test("without VPC bindings it says so, and is wrangler dev", { timeout: 60_000 }, async () => {
  const config = { name: "plain", main: "index.js", compatibility_date: "2026-01-01", vars: { A: "1" } };
  using project = createProject({ "wrangler.json": config, "index.js": WORKER });
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  expect(server.output()).toContain("no vpc_services and no vpc_networks in wrangler.json");
  expect(await server.get("/env?name=A")).toBe('"1"');
});

/** @returns what was printed instead of starting wrangler */
async function refused(project: Project, args: string[], exitCode = 1): Promise<string> {
  await using running = run(MINIFLARE_VPC, args, { project });
  expect(await running.ended()).toBe(exitCode);
  expect(running.output()).not.toContain("⛅");
  expect(project.leftovers()).toEqual([]);
  return running.output();
}
