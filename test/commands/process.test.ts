/** The built command as a process: streams, exit codes, colours. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

import { describe, expect, test, vi } from "vitest";

import { startTcpServer } from "../servers/tcp-server.ts";
import { MINIFLARE_VPC } from "../wrangler/run.ts";
import { REPOSITORY } from "../wrangler/temporary-project.ts";
import { createCallFolder } from "./call.ts";
import { testOn } from "../setup/only-on.ts";

/** It makes a terminal. */
const NO_PTY = "script(1) takes other arguments elsewhere";

const files = {
  "wrangler.json": JSON.stringify({ name: "api", vpc_services: [{ binding: "USERS", service_id: "u" }] }),
  "vpc.json": '{ "services": { "USERS": "localhost:1", "OTHER": "localhost:2" } }',
};
const WARNING = `vpc.json:1:41: warning: no binding leads to the service "OTHER" [unbound-service]
    This key is neither the "service_id" nor the name of a binding in wrangler.json. Correct or remove it.
`;

async function run(
  line: string,
  env: NodeJS.ProcessEnv = {},
  given: Record<string, string> = files,
): Promise<[status: number | null, out: string, err: string]> {
  await using vpc = await createCallFolder(given);
  const { status, stdout, stderr } = spawnSync(process.execPath, [MINIFLARE_VPC, ...line.split(" ")], {
    cwd: vpc.folder,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
  return [status, stdout, stderr];
}

test("results go to standard output, with paths relative to the working directory", async () => {
  expect(await run("check")).toEqual([0, `${WARNING}1 warning.\n`, ""]);
  expect(await run("check --strict")).toEqual([1, `${WARNING}1 warning.\n`, ""]);
  expect((await run("explain USERS http://a/"))[1]).toContain('record     "USERS" at vpc.json:1:17\n');
  expect(await run("routes")).toEqual([0, "services\n    USERS  → localhost:1  vpc.json:1:17  USERS of api\n", ""]);
});

test("a mistake in the command line goes to standard error", async () => {
  expect(await run("check --strct")).toEqual([
    2,
    "",
    'miniflare-vpc check: there is no flag "--strct". Did you mean "--strict"?\n',
  ]);
  expect(await run("explain LOST http://a/")).toEqual([
    2,
    "",
    'miniflare-vpc explain: there is no VPC binding "LOST". Available: USERS.\n',
  ]);
});

test("--version prints the package's version", async () => {
  const { version } = (await import(`${REPOSITORY}/package.json`, { with: { type: "json" } })).default as {
    version: string;
  };
  expect(await run("--version")).toEqual([0, `${version}\n`, ""]);
});

test.each(["20.20.2", "22.11.0"])("a command says that Node.js %s is too old", async (version) => {
  const code = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`;
  const pretend = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
  const { engines } = JSON.parse(readFileSync(`${REPOSITORY}/package.json`, "utf8")) as { engines: { node: string } };
  expect(engines.node).toBe(">=22.12.0");
  expect(await run("check", pretend)).toEqual([
    1,
    "",
    `miniflare-vpc: Node.js ${version} is too old. Install Node.js 22.12.0 or newer.\n`,
  ]);
});

test("the process stays alive until every target is probed", async () => {
  const [status, out] = await run("check --probe");
  expect([status, out.split("\n").at(-2)]).toEqual([1, "No answer from 1 of 1 targets."]);
});

const running = (text: string): Record<string, string> => ({
  "wrangler.json": files["wrangler.json"],
  "vpc.config.mjs": text,
});

describe("a vpc.config.ts is a program, and", () => {
  const fine = 'export default { services: { USERS: "localhost:1" } };';

  test.each([
    ["console.log", 'console.log("a banner");'],
    ["process.stdout", 'process.stdout.write("a banner\\n");'],
    ["console.info", 'console.info("a banner");'],
  ])("its output by %s does not mix with the command's output", async (_, code) => {
    for (const line of ["check --json", "routes --json", "explain USERS http://a/ --json"]) {
      const [status, out, err] = await run(line, {}, running(`${code}\n${fine}`));
      expect([status, JSON.parse(out), err]).toEqual([0, expect.anything(), "a banner\n"]);
    }
  });

  test.each([
    ["waits forever", "await new Promise(() => {});", "waits for something that never happens"],
    ["ends the process", "process.exit(0);", "it called process.exit(0)"],
    ["ends it with another exit code", "process.exit(42);", "it called process.exit(42)"],
    ["throws something that isn't an error", "throw 7;", "threw while it was loaded: 7"],
  ])("an error is reported if it %s", async (_, code, said) => {
    for (const line of ["check", "check --strict", "routes", "explain USERS http://a/"]) {
      const [status, out, err] = await run(line, {}, running(`${code}\n${fine}`));
      expect([line, status, `${out}${err}`]).toEqual([line, 1, expect.stringContaining(said)]);
    }
  });
});

testOn("linux", NO_PTY, "only a terminal gets colours", async () => {
  const colour = "\u001b[33m1 warning\u001b[39m.";
  expect((await run("check"))[1]).not.toContain("\u001b");
  expect((await run("check", { FORCE_COLOR: "1" }))[1]).toContain(colour);
  expect((await run("explain USERS http://a/", { FORCE_COLOR: "1" }))[1]).toContain("\u001b[1menv.USERS.fetch");
  await using vpc = await createCallFolder(files);
  const onTerminal = (env: NodeJS.ProcessEnv): string =>
    spawnSync("script", ["-qec", `"${process.execPath}" "${MINIFLARE_VPC}" check`, "/dev/null"], {
      cwd: vpc.folder,
      env: { PATH: process.env["PATH"], TERM: "xterm-256color", ...env },
      encoding: "utf8",
    }).stdout;
  expect(onTerminal({})).toContain(colour);
  expect(onTerminal({ NO_COLOR: "1" })).toContain("\r\n1 warning.");
  expect(onTerminal({ NO_COLOR: "1" })).not.toContain("\u001b");
});

testOn("linux", NO_PTY, "an interrupted probe clears its progress line", async () => {
  await using silent = await startTcpServer();
  await using vpc = await createCallFolder({
    ...files,
    "vpc.json": `{ "connectTimeout": 20000, "services": { "USERS": "https://127.0.0.1:${silent.port}" } }`,
  });
  const command = `"${process.execPath}" "${MINIFLARE_VPC}" check --probe`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: vpc.folder,
    env: { PATH: process.env["PATH"], TERM: "xterm-256color" },
  });
  let shown = "";
  child.stdout.on("data", (bytes: Buffer) => void (shown += bytes.toString()));
  await vi.waitFor(() => expect(shown).toMatch(/dialling targets: 0 of 1$/), { timeout: 10_000 });
  child.stdin.write("\u0003");
  const [status] = (await once(child, "close")) as [number];
  expect(status).toBe(128 + 2);
  expect(shown.endsWith("\r\u001b[K")).toBe(true);
});

testOn("posix", "bash is not on every PATH", "a reader that closes the pipe early gets no error message", async () => {
  await using vpc = await createCallFolder({
    ...files,
    "vpc.json": `{ "services": { ${Array.from({ length: 5000 }, (_, n) => `"S${n}": "localhost:1"`).join(", ")} } }`,
  });
  const { stdout, stderr } = spawnSync(
    "bash",
    ["--norc", "--noprofile", "-c", `"${process.execPath}" "${MINIFLARE_VPC}" check | head -c 20`],
    { cwd: vpc.folder, env: { PATH: process.env["PATH"] }, encoding: "utf8" },
  );
  expect([stdout, stderr]).toEqual(["vpc.json:1:3: warnin", ""]);
});
