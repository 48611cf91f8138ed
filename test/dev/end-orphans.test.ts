/** What `miniflare-vpc dev` ends after wrangler is gone, tried on a process that stands for wrangler and owns an esbuild. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { expect, test } from "vitest";

import { endOrphans } from "../../plugin/dev/end-orphans.ts";
import { DEV_PID } from "../../plugin/miniflare/follow-dev.ts";
import { describeOn } from "../setup/only-on.ts";
import { type RunningProcess, listProcesses } from "../soak/processes.ts";

/** Builds forever, and owes esbuild the answer to a ping, which comes every second. Then esbuild outlives it. */
const BUSY_BUILDER = `
import { context } from "esbuild";
const hang = (build) => build.onResolve({ filter: /^hang:/ }, () => new Promise(() => setTimeout(blockForever)));
const blockForever = () => {
  for (const start = Date.now(); Date.now() < start + 1500; );
  process.send("busy");
  for (;;);
};
const plugins = [{ name: "hang", setup: hang }];
await (await context({ stdin: { contents: "import 'hang:'" }, bundle: true, write: false, plugins })).watch();`;

const PATIENCE = { timeout: 20_000 };

interface Builder extends AsyncDisposable {
  process: ChildProcess;
  esbuild: number;
}

async function startBuilder(): Promise<Builder> {
  const env = { ...process.env, [DEV_PID]: String(process.pid) };
  const builder = spawn(process.execPath, ["--input-type=module", "--eval", BUSY_BUILDER], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env,
  });
  await once(builder, "message");
  const esbuild = listProcesses().find(({ parent }) => parent === builder.pid)?.pid ?? 0;
  return {
    process: builder,
    esbuild,
    async [Symbol.asyncDispose]() {
      await kill(builder);
      if (find(esbuild) !== undefined) process.kill(esbuild, "SIGKILL");
    },
  };
}

async function kill(builder: ChildProcess): Promise<void> {
  if (builder.signalCode !== null) return;
  const exit = once(builder, "exit");
  builder.kill("SIGKILL");
  await exit;
}

function find(wanted: number): RunningProcess | undefined {
  return listProcesses().find(({ pid }) => pid === wanted);
}

describeOn("linux", "it finds processes in /proc", "endOrphans()", () => {
  test(
    "ends an esbuild whose process is gone, and leaves one alone whose process lives",
    { timeout: 60_000 },
    async () => {
      await using gone = await startBuilder();
      await using alive = await startBuilder();
      await kill(gone.process);
      await expect.poll(() => find(gone.esbuild)?.parent, PATIENCE).not.toBe(gone.process.pid);
      await endOrphans();
      await expect.poll(() => find(gone.esbuild), PATIENCE).toBeUndefined();
      expect(find(alive.esbuild)?.parent).toBe(alive.process.pid);
    },
  );
});
