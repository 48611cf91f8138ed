/** Runs `miniflare-vpc dev`, and wrangler alone, on projects in temporary folders. */

import { execFileSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort } from "../servers/tcp-server.ts";
import { NO_SIGNALS, testOn } from "../setup/only-on.ts";
import { expectEnd } from "../wrangler/expect-end.ts";
import { MINIFLARE_VPC, run, serve, type Server, WRANGLER } from "../wrangler/run.ts";
import { createProject, type TemporaryProject } from "../wrangler/temporary-project.ts";

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
function api({ first, second }: { first: HttpOrigin; second: HttpOrigin }): TemporaryProject {
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

function apiWithout(lines: RegExp): TemporaryProject {
  return createProject({ "wrangler.toml": TOML.replace(lines, ""), "src/index.js": WORKER, "vpc.jsonc": "{}" });
}

/** Polls, because an edit takes a moment to take effect and a restarting Worker answers with errors. */
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

  // The bindings are shown as local, without warnings about remote resources or experimental fields.
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

  // An edit of the vpc config, by replacing the file as editors do.
  const vpc = { services: { [SERVICE]: `http://127.0.0.1:${second.port}` } };
  project.write("vpc.jsonc.new", vpc);
  renameSync(path.join(project.folder, "vpc.jsonc.new"), path.join(project.folder, "vpc.jsonc"));
  await answers(server, "/USERS", "second");

  // An edit of the source.
  project.write("src/index.js", WORKER.replace("no such binding", "new source"));
  await answers(server, "/NONE", "404 new source");

  // Edits of the wrangler config: first broken, then with another binding.
  project.write("wrangler.toml", `${TOML}[vars`);
  await server.printed(/wrangler\.toml:\d+:\d+: error: .*not TOML/);
  expect(await server.get("/USERS")).toBe("second");
  const more = `[[vpc_services]]\nbinding = "MORE"\nservice_id = "${SERVICE}"\n`;
  project.write("wrangler.toml", TOML.replace('"top"', '"edited"') + more);
  await answers(server, "/MORE", "second");
  await answers(server, "/env?name=GREETING", '"edited"');

  await expectEnd(server, { signal: "SIGINT", exit: 130, project });
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
  await expectEnd(server, { signal: "SIGTERM", exit: 143, project });
});

testOn("posix", NO_SIGNALS, "SIGHUP ends wrangler and its runtime too", { timeout: 60_000 }, async () => {
  await using origin = await startHttpOrigin(ok("first"));
  using project = api({ first: origin, second: origin });
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  server.signal("SIGHUP");
  // The streams close when the last process that can print has ended.
  expect(await server.ended()).toBe("SIGHUP");
  await expect(server.get("/USERS")).rejects.toThrow("fetch failed");
  expect(project.leftovers()).toEqual([]);
});

test("traffic lines are printed; with --log-level error, only failures are", { timeout: 60_000 }, async () => {
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

test("several configs, each with its own vpc config beside it", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  await using second = await startHttpOrigin(ok("second"));
  using project = createProject({
    "api/wrangler.jsonc": `{
      // with a comment and a trailing comma
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
  // With several Workers, a traffic line names the binding's Worker.
  await server.printed(/USERS of api {2}GET http:\/\/users\.internal\/list → /);
  await server.printed(/USERS of jobs {2}GET http:\/\/users\.internal\/list → /);
  expect(project.leftovers()).toHaveLength(2);
  await expectEnd(server, { signal: "SIGINT", exit: 130, project });
});

test(
  'a remote binding is left to wrangler; an edit of its "remote" takes effect after a restart',
  { timeout: 60_000 },
  async () => {
    await using first = await startHttpOrigin(ok("first"));
    await using second = await startHttpOrigin(ok("second"));
    using project = api({ first, second });
    project.write("vpc.jsonc", { services: { [SERVICE]: "remote" }, networks: { [TUNNEL]: routesTo(first) } });
    // Without --local, wrangler requires a login.
    await using server = await serve(MINIFLARE_VPC, ["dev", "--local"], { project });
    expect(server.output()).toMatch(/env\.USERS \(.*\)\s+VPC Service\s+not supported/);
    expect(await server.get("/NET")).toBe("first");
    expect(await server.get("/USERS")).toContain("needs to be run remotely");

    const local = `http://127.0.0.1:${second.port}`;
    project.write("vpc.jsonc", { services: { [SERVICE]: local }, networks: { [TUNNEL]: routesTo(second) } });
    await answers(server, "/NET", "second");
    await server.printed(/vpc config no longer says "remote" for USERS: restart to apply this/);
    expect(await server.get("/USERS")).toContain("needs to be run remotely");
  },
);

test("an entry that becomes remote does not end a session without a login", { timeout: 60_000 }, async () => {
  await using first = await startHttpOrigin(ok("first"));
  using project = api({ first, second: first });
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  expect(await server.get("/USERS")).toBe("first");
  const networks = { [TUNNEL]: routesTo(first) };
  project.write("vpc.jsonc", { services: { [SERVICE]: "remote" }, networks });
  await server.printed(/the vpc config now says "remote" for USERS: restart to apply this/);
  await expect.poll(() => server.get("/USERS"), { timeout: 10_000 }).toContain("500 Error: ProxyError:");
  project.write("wrangler.toml", TOML.replace('"top"', '"reloaded"'));
  await answers(server, "/env?name=GREETING", '"reloaded"');
  expect(await server.get("/USERS")).toContain("500 Error: ProxyError: destination_not_found");
  // Back to a local target.
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
  expect(server.output()).not.toContain("too old");
});

test.each([
  ["its argument", ["-e=staging"], {}],
  ["CLOUDFLARE_ENV in .env", [], { ".env": "CLOUDFLARE_ENV=staging\n" }],
])(
  "wrangler alone, with the environment of %s: worker:NAME finds NAME-staging",
  { timeout: 60_000 },
  async (_, args, files) => {
    using project = createProject({
      "wrangler.toml": TOML.replace(/\[assets\]\n.*\n/, ""),
      "src/index.js": WORKER,
      "vpc.jsonc": { services: { USERS: "worker:api" } },
      ...files,
    });
    project.install();
    const both = ["-c", "wrangler.toml", "-c", "node_modules/miniflare-vpc/local.json"];
    await using server = await serve(WRANGLER, ["dev", "--local", ...both, ...args], { project });
    const url = encodeURIComponent("http://users.internal/env?name=GREETING");
    expect(await server.get(`/USERS?url=${url}`)).toBe('"staging"');
  },
);

describe("a binding that wrangler refuses", () => {
  test("is reported with its position", async () => {
    using project = apiWithout(/service_id = .*/);
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    expect(await running.ended()).toBe(1);
    expect(running.output()).toMatch(/wrangler\.toml:11:3: warning: the binding "USERS" lacks a "service_id"/);
    expect(running.output()).toContain('bindings must have a "service_id" field');
  });

  test("if it is the only one, wrangler names the user's file in its error", async () => {
    using project = apiWithout(/service_id = .*[^]*/);
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    expect(await running.ended()).toBe(1);
    expect(running.output()).toMatch(/wrangler\.toml:11:3: warning: the binding "USERS" lacks a "service_id"/);
    expect(running.output()).toContain("Processing wrangler.toml configuration");
    expect(running.output()).not.toContain("no vpc_services");
  });
});

describe("before wrangler starts", () => {
  test("a broken wrangler config is reported", async () => {
    using project = createProject({ "wrangler.jsonc": '{\n  "name": "api" "main": "x"\n}' });
    expect(await refused(project, ["dev"])).toContain(
      "wrangler.jsonc:2:17: error: this wrangler config can't be read: expected a comma before",
    );
    expect(await refused(project, ["dev", "-c", "none.toml"], 2)).toContain('there is no file "none.toml"');
  });

  test("a broken vpc config is reported", async () => {
    using project = createProject({ "wrangler.toml": TOML, "vpc.jsonc": '{\n  "services": {\n' });
    expect(await refused(project, ["dev"])).toMatch(/^vpc\.jsonc:\d+:\d+: error: /m);
  });

  test("an unknown command gets a suggestion if it is a typo, and a hint to use wrangler if not", async () => {
    using project = createProject({});
    expect(await refused(project, ["devv"], 2)).toContain('Did you mean "miniflare-vpc dev"?');
    expect(await refused(project, ["deploy"], 2)).toContain("Use wrangler for everything else");
    expect(await refused(project, [], 2)).toContain("miniflare-vpc <command>");
    expect(await refused(project, ["--help"], 0)).toMatch(/Exit codes: 0 .* 1 .* 2 /);
  });
});

test("it ends when wrangler ends, with the same exit code", async () => {
  using project = createProject({ "wrangler.toml": TOML.replace("src/index.js", "src/none.js"), "vpc.jsonc": "{}" });
  await using running = run(MINIFLARE_VPC, ["dev"], { project });
  expect(await running.ended()).toBe(1);
  expect(running.output()).toMatch(/src\/none\.js/);
  expect(project.leftovers()).toEqual([]);
});

test("an unknown flag is passed to wrangler, which refuses it", async () => {
  using project = createProject({ "wrangler.toml": TOML, "vpc.jsonc": "{}" });
  await using running = run(MINIFLARE_VPC, ["dev", "--no-such-flag"], { project });
  expect(await running.ended()).toBe(1);
  expect(running.output()).toContain("Unknown argument");
});

describe("a vpc.config.* that leaves a timer and a signal handler behind", () => {
  const LINGERING = `setInterval(() => {}, 1000);
process.on("SIGTERM", () => {});
export default { services: { "${SERVICE}": "localhost:1" } };`;

  test("does not keep the command alive when wrangler fails", async () => {
    using project = createProject({ "wrangler.toml": TOML, "vpc.config.mjs": LINGERING });
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    expect(await running.ended()).toBe(1);
    expect(running.output()).toMatch(/src\/index\.js/);
    expect(project.leftovers()).toEqual([]);
  });

  test("does not keep it alive when the config itself is broken", async () => {
    using project = createProject({
      "wrangler.toml": TOML,
      "vpc.config.mjs": LINGERING.replace("localhost:1", "localhost:x"),
    });
    expect(await refused(project, ["dev"])).toContain('the target "localhost:x"');
  });

  testOn("posix", NO_SIGNALS, "does not keep it alive after SIGTERM", { timeout: 60_000 }, async () => {
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

test("without VPC bindings, it prints a note and runs wrangler dev", { timeout: 60_000 }, async () => {
  const config = { name: "plain", main: "index.js", compatibility_date: "2026-01-01", vars: { A: "1" } };
  using project = createProject({ "wrangler.json": config, "index.js": WORKER });
  await using server = await serve(MINIFLARE_VPC, ["dev", "--control", "0"], { project });
  expect(server.output()).toContain("no vpc_services or vpc_networks in wrangler.json");
  expect(server.output()).toContain("--control has nothing to direct without a VPC binding, so it opens no port.");
  expect(await server.get("/env?name=A")).toBe('"1"');
});

test("in a Pages project, a message says that Pages has no VPC bindings", { timeout: 60_000 }, async () => {
  const config = { name: "site", pages_build_output_dir: "public", compatibility_date: "2026-01-01" };
  using project = createProject({ "wrangler.json": config });
  {
    await using running = run(MINIFLARE_VPC, ["dev"], { project });
    expect(await running.ended()).toBe(1);
    expect(running.output()).toContain(
      "wrangler.json is the config of a Pages project, but Pages has no VPC bindings.",
    );
  }
  project.write("wrangler.json", { ...config, vpc_services: [{ binding: "USERS", service_id: SERVICE }] });
  await using running = run(MINIFLARE_VPC, ["dev"], { project });
  expect(await running.ended()).toBe(1);
  expect(running.output()).toMatch(/wrangler\.json:\d+:3: warning: "vpc_services" is in the config of a Pages project/);
});

/** @returns the output of a command that ends before it starts wrangler */
async function refused(project: TemporaryProject, args: string[], exitCode = 1): Promise<string> {
  await using running = run(MINIFLARE_VPC, args, { project });
  expect(await running.ended()).toBe(exitCode);
  expect(running.output()).not.toContain("⛅");
  expect(project.leftovers()).toEqual([]);
  return running.output();
}
