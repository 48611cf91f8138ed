/** SIGINT, SIGTERM and SIGKILL to each process of a session in turn: what is left, and how the next session starts. */

import { readdirSync } from "node:fs";
import os from "node:os";
import { setTimeout } from "node:timers/promises";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { MINIFLARE_VPC, type Server, serve } from "../wrangler/run.ts";
import type { TemporaryProject } from "../wrangler/temporary-project.ts";
import { type RunningProcess, processesIn } from "./processes.ts";
import { configFor, createSoakProject } from "./project.ts";
import type { Report } from "./report.ts";
import { waitFor } from "./under-load.ts";

type Role = "miniflare-vpc dev" | "wrangler's launcher" | "wrangler" | "workerd" | "wrangler's proxy";

/** Recognizes each by its command line. */
const ROLES: Record<Role, (command: string) => boolean> = {
  "miniflare-vpc dev": (command) => command.includes("/dist/cli.js dev") && !command.includes("wrangler-dist"),
  "wrangler's launcher": (command) => command.includes("wrangler/bin/wrangler.js"),
  wrangler: (command) => command.includes("wrangler-dist/cli.js"),
  workerd: (command) => command.includes("workerd serve") && !command.includes("entry=localhost"),
  "wrangler's proxy": (command) => command.includes("workerd serve") && command.includes("entry=localhost"),
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGKILL"] as const;

export async function soakSignals({ isQuick }: { isQuick: boolean }, report: Report): Promise<void> {
  await using origin = await startHttpOrigin(ok("first"));
  await using other = await startHttpOrigin(ok("second"));
  // One project for all, so that each session finds what the previous one left.
  using project = createSoakProject(origin.port);
  for (const role of Object.keys(ROLES) as Role[]) {
    for (const signal of SIGNALS) {
      if (isQuick && signal !== "SIGKILL" && role !== "miniflare-vpc dev") continue;
      project.write("vpc.jsonc", configFor(origin.port));
      await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
      const before = processesIn(project.folder);
      const isRuntime = role === "workerd";
      const answer = await ask(server);
      const victims = before.filter(({ command }) => ROLES[role](command));
      for (const { pid } of victims.slice(0, 1)) process.kill(pid, signal);
      if (isRuntime) {
        // wrangler restarts its runtime, and the session works as before, even with edits.
        const isBack = await answersAgain(server, "first");
        project.write("vpc.jsonc", configFor(other.port));
        const tookOver = await answersAgain(server, "second");
        report.expect(
          `${signal} to ${role}: it is back`,
          isBack && tookOver ? [] : [{ isBack, tookOver, output: server.output().slice(-1500) }],
        );
      }
      // wrangler restarts its own proxy too, but then never answers, even without VPC bindings.
      if (isRuntime || role === "wrangler's proxy") server.signal("SIGTERM");
      const isGone = await waitFor(() => remainsOf(project, before).length === 0);
      report.expect(
        `${signal} to ${role}: nothing is left`,
        answer === "first" && victims.length > 0 && isGone ? [] : [{ answer, victims }, ...remainsOf(project, before)],
      );
      for (const { pid } of processesIn(project.folder)) process.kill(pid, "SIGKILL");
    }
  }
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  project.write("vpc.jsonc", configFor(origin.port));
  report.expect("the next start is clean", (await answersAgain(server, "first")) ? [] : [server.output()]);
  report.expect(
    "the next start removes what SIGKILL left",
    // `miniflare-vpc dev` and wrangler have one each.
    privateDirectories(project).length === 2 ? [] : privateDirectories(project),
  );
}

async function ask(server: Server): Promise<string> {
  const giveUp = setTimeout(2000, "no answer within two seconds", { ref: false });
  return Promise.race([server.get("/").catch(String), giveUp]);
}

async function answersAgain(server: Server, expected: string): Promise<boolean> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await setTimeout(50)) {
    if ((await ask(server)) === expected) return true;
  }
  return false;
}

/** Processes, generated configs, and private directories, unless SIGKILL prevented their removal. */
function remainsOf(project: TemporaryProject, before: readonly RunningProcess[]): unknown[] {
  const pids = before.filter(({ command }) => !ROLES.wrangler(command)).map(({ pid }) => pid);
  return [
    ...processesIn(project.folder),
    ...project.leftovers(),
    ...privateDirectories(project).filter((name) => pids.some((pid) => name.startsWith(`mvpc-${pid}-`))),
  ];
}

function privateDirectories(project: TemporaryProject): string[] {
  const running = new Set(processesIn(project.folder).map(({ pid }) => String(pid)));
  return readdirSync(os.tmpdir()).filter((name) => running.has(/^mvpc-(\d+)-/.exec(name)?.[1] ?? ""));
}
