/**
 * How `miniflare-vpc dev` ends on Windows and macOS. Simulated on Linux: another `process.platform`, signals that Node can't
 * send on Windows, and macOS's `ps`.
 */

import { chmodSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test, vi } from "vitest";

import { endOrphans } from "../../plugin/dev/end-orphans.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { describeOn } from "../setup/only-on.ts";
import { pretend } from "../setup/platform.ts";
import { processesIn } from "../soak/processes.ts";
import { createSoakProject } from "../soak/project.ts";
import { MINIFLARE_VPC, serve } from "../wrangler/run.ts";
import type { TemporaryProject } from "../wrangler/temporary-project.ts";

const CLI = JSON.stringify(pathToFileURL(MINIFLARE_VPC));

/** libuv's `uv_kill` sends only these, and 0. SIGUSR2 stands for ctrl-Break here, because Linux has no SIGBREAK. */
const AS_ON_WINDOWS = `
import { ChildProcess } from "node:child_process";
Object.defineProperty(process, "platform", { value: "win32" });
const sent = [undefined, 0, "SIGINT", "SIGTERM", "SIGKILL", "SIGQUIT"];
const refuse = (kill, position) => function (...args) {
  if (sent.includes(args[position])) return kill.apply(this, args);
  throw Object.assign(new Error("kill ENOSYS " + args[position]), { code: "ENOSYS" });
};
process.kill = refuse(process.kill, 1);
ChildProcess.prototype.kill = refuse(ChildProcess.prototype.kill, 0);
process.on("SIGUSR2", () => process.emit("SIGBREAK", "SIGBREAK"));
await import(${CLI});`;

const AS_ON_MACOS = `
Object.defineProperty(process, "platform", { value: "darwin" });
await import(${CLI});`;

/** The two calls of macOS's `ps` that are used. */
const PS = `#!${process.execPath}
const fs = require("node:fs");
const read = (pid, file) => { try { return fs.readFileSync("/proc/" + pid + "/" + file, "utf8").replaceAll("\\0", " ").trim(); } catch { return ""; } };
const args = process.argv.slice(2).join(" ");
if (!["-A -ww -o pid=,ppid=,command=", "-A -E -ww -o pid=,ppid=,command="].includes(args)) throw new Error("ps: illegal option in " + args);
for (const pid of fs.readdirSync("/proc").filter(Number)) {
  const command = read(pid, "cmdline") || "(exited)";
  const parent = read(pid, "stat").replace(/^.*\\) . (\\d+) .*$/s, "$1");
  console.log(pid.padStart(5) + " " + parent.padStart(5) + " " + command + (args.includes("-E") ? " " + read(pid, "environ") : ""));
}`;

const left = (project: TemporaryProject): unknown[] => [...processesIn(project.folder), ...project.leftovers()];

describeOn("linux", "it simulates the other systems with /proc", "miniflare-vpc dev", () => {
  test.each([
    ["a closed console (SIGHUP)", "SIGHUP", 129],
    ["ctrl-Break (SIGBREAK)", "SIGUSR2", 130],
  ] as const)("as on Windows, %s leaves nothing", { timeout: 60_000 }, async (_, signal, exit) => {
    await using origin = await startHttpOrigin(ok("here"));
    using project = createSoakProject(origin.port);
    project.write("as-on-windows.mjs", AS_ON_WINDOWS);
    await using server = await serve(path.join(project.folder, "as-on-windows.mjs"), ["dev"], { project });
    expect(await server.get("/")).toBe("here");
    server.signal(signal);
    expect([await server.ended(), server.output()]).toEqual([exit, expect.not.stringMatching(/ENOSYS|was ended by/)]);
    await expect.poll(() => left(project), { timeout: 20_000 }).toEqual([]);
  });

  test.each([
    ["wrangler's launcher", "wrangler/bin/wrangler.js"],
    ["wrangler", "wrangler-dist/cli.js"],
  ])("as on macOS, SIGKILL to %s leaves nothing", { timeout: 60_000 }, async (_, command) => {
    await using origin = await startHttpOrigin(ok("here"));
    using project = createSoakProject(origin.port);
    project.write("as-on-macos.mjs", AS_ON_MACOS);
    project.write("bin/ps", PS);
    chmodSync(path.join(project.folder, "bin/ps"), 0o755);
    const env = { PATH: [path.join(project.folder, "bin"), process.env["PATH"]].join(path.delimiter) };
    await using server = await serve(path.join(project.folder, "as-on-macos.mjs"), ["dev"], { project, env });
    expect(await server.get("/")).toBe("here");
    const victim = processesIn(project.folder).find((process) => process.command.includes(command));
    process.kill(victim?.pid ?? 0, "SIGKILL");
    await expect.poll(() => left(project), { timeout: 20_000 }).toEqual([]);
    expect(server.output()).not.toContain("can't look for processes");
  });
});

test("as on macOS without ps, a message says that nothing was looked for", async () => {
  using _ = pretend("darwin");
  vi.stubEnv("PATH", "");
  const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
  await endOrphans();
  expect(error.mock.calls).toEqual([
    ["miniflare-vpc: can't look for processes that wrangler left running: spawn ps ENOENT."],
  ]);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
