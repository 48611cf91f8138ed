/** The built command as a user's shell sees it: streams, exit codes, colours. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

import { expect, test, vi } from "vitest";

import { startTcpServer } from "../servers/tcp-server.ts";
import { MINIFLARE_VPC } from "../wrangler/run.ts";
import { REPOSITORY } from "../wrangler/temporary-project.ts";
import { createCallFolder } from "./call.ts";

const files = {
  "wrangler.json": JSON.stringify({ name: "api", vpc_services: [{ binding: "USERS", service_id: "u" }] }),
  "vpc.json": '{ "services": { "USERS": "localhost:1", "OTHER": "localhost:2" } }',
};
const WARNING = `vpc.json:1:41: warning: no binding leads to the service "OTHER" [unbound-service]
    It is neither the "service_id" nor the name of a binding in wrangler.json: correct or remove it.
`;

async function run(
  line: string,
  env: NodeJS.ProcessEnv = {},
): Promise<[status: number | null, out: string, err: string]> {
  await using vpc = await createCallFolder(files);
  const { status, stdout, stderr } = spawnSync(process.execPath, [MINIFLARE_VPC, ...line.split(" ")], {
    cwd: vpc.folder,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
  return [status, stdout, stderr];
}

test("an answer goes to standard output, and names files as seen from here", async () => {
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
    'miniflare-vpc explain: there is no VPC binding "LOST". There is USERS.\n',
  ]);
});

test("--version is the package's", async () => {
  const { version } = (await import(`${REPOSITORY}/package.json`, { with: { type: "json" } })).default as {
    version: string;
  };
  expect(await run("--version")).toEqual([0, `${version}\n`, ""]);
});

test("a target that is dialled keeps the process until it is known", async () => {
  const [status, out] = await run("check --probe");
  expect([status, out.split("\n").at(-2)]).toEqual([1, "Without an answer: 1 of 1."]);
});

test("colours are for terminals", async () => {
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

test("an interrupted probe takes its progress line with it", async () => {
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

test("who stops reading is not told of it", async () => {
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
