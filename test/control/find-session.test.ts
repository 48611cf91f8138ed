/** A client in another process finds the session of its folder. */

import { execFile } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";
import { startControl } from "../../plugin/control/control.ts";
import { findSession } from "../../plugin/control/find-session.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import { Scenario } from "../../plugin/scenario/scenario.ts";
import { REPOSITORY } from "../wrangler/temporary-project.ts";

function temporaryFolder(stack: AsyncDisposableStack, prefix = "session-"): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), prefix)));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function startSession(folder: string, stack: AsyncDisposableStack): Promise<Scenario> {
  const { privateDirectory } = await egressProxy();
  const scenario = new Scenario();
  const control = await startControl(scenario, { folders: [folder], privateDirectory });
  stack.defer(() => control.close());
  return scenario;
}

/** @returns the specifier for an import */
function module(file: string): string {
  return JSON.stringify(pathToFileURL(path.join(REPOSITORY, file)).href);
}

/** Leaves a rule's owner in the scenario that the folder leads to. */
async function mark(folder: string): Promise<void> {
  const client = await findSession(folder);
  const functionOf = { address: "unix:/nowhere", secret: "", functionId: "mark" };
  await client.ask("POST", "/clients/mark/functions", functionOf);
}

test("the newest session of a folder is found, and then the one before it", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const first = await startSession(folder, stack);
  // The file names the time in milliseconds.
  await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(Date.now());
  {
    await using later = new AsyncDisposableStack();
    const second = await startSession(folder, later);
    await mark(folder);
    expect([first.functions.size, second.functions.size]).toEqual([0, 1]);
  }
  await mark(folder);
  expect(first.functions.size).toBe(1);
});

test("what a killed process has left is passed over", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const scenario = await startSession(folder, stack);
  const left = temporaryFolder(stack, `mvpc-${process.pid}-`);
  const address = { socketPath: path.join(left, "c-000000.sock"), token: "x" };
  writeFileSync(
    path.join(left, "c-000000.json"),
    JSON.stringify({ folders: [folder], address, startedAt: Date.now() + 60_000 }),
  );
  await mark(folder);
  expect(scenario.functions.size).toBe(1);
});

test("as on Windows, a file with mode 0600 names a loopback port and its token", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const source = `
    import { readdirSync, readFileSync, statSync } from "node:fs";
    import path from "node:path";
    import { egressProxy } from ${module("plugin/egress/server.ts")};
    import { startControl } from ${module("plugin/control/control.ts")};
    import { findSession } from ${module("plugin/control/find-session.ts")};
    import { Scenario } from ${module("plugin/scenario/scenario.ts")};
    const { privateDirectory } = await egressProxy();
    const control = await startControl(new Scenario(), { folders: [${JSON.stringify(folder)}], privateDirectory });
    const files = readdirSync(privateDirectory);
    const file = path.join(privateDirectory, files[0]);
    const client = await findSession(${JSON.stringify(folder)});
    console.log(JSON.stringify({
      files: files.length,
      mode: statSync(file).mode & 0o777,
      address: JSON.parse(readFileSync(file, "utf8")).address,
      version: await client.ask("GET", "/version"),
    }));
    await control.close();
    process.exit();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--import=data:text/javascript,Object.defineProperty(process,'platform',{value:'win32'})",
      "--experimental-strip-types",
      "--no-warnings",
      "--input-type=module",
      "-e",
      source,
    ],
    { env: { ...process.env, TEMP: os.tmpdir() } },
  );
  expect(JSON.parse(stdout)).toEqual({
    files: 1,
    mode: 0o600,
    address: { host: "127.0.0.1", port: expect.any(Number), token: expect.stringMatching(/^[\w-]{43}$/) },
    version: { version: "2.12.0" },
  });
});
