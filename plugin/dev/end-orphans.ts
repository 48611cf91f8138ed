/**
 * What outlives a process that was killed with SIGKILL, and so could not end those it had started: each of
 * `miniflare-vpc dev`, wrangler and its runtime carries the session in its environment, and whoever is left ends
 * the others.
 *
 *   miniflare-vpc dev ──▶ wrangler's launcher ──▶ wrangler ──▶ workerd
 *           │ endOrphans, once the launcher is gone   │ followDev, while it runs
 */

import { readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

import { hasCode } from "../error.ts";
import { isRunning } from "../is-running.ts";
import { siblingPid } from "./sibling.ts";

/** Names the process id of `miniflare-vpc dev` to all that it starts. */
export const DEV_PID = "MINIFLARE_VPC_DEV_PID";

/** Milliseconds. */
const POLL = 500;
const GRACE = 3000;

let following: NodeJS.Timeout | undefined;

/** In wrangler's process: ends it as ctrl-C would, with what it has started, once `miniflare-vpc dev` is gone. */
export function followDev(): void {
  const dev = Number(process.env[DEV_PID] ?? 0);
  if (dev === 0 || following !== undefined) return;
  following = setInterval(() => {
    if (isRunning(dev)) return;
    clearInterval(following);
    for (const argument of process.argv) {
      if (siblingPid(path.basename(argument)) === dev) rmSync(argument, { force: true });
    }
    process.kill(process.pid, "SIGTERM");
  }, POLL).unref();
}

/** In `miniflare-vpc dev`, once wrangler's launcher has ended: ends what wrangler did not. Linux only. */
export async function endOrphans(): Promise<void> {
  if (process.platform !== "linux") return;
  const deadline = Date.now() + GRACE;
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const pid of orphans()) end(pid, signal);
    while (orphans().length > 0 && Date.now() < deadline) await setTimeout(20);
  }
}

/** Of wrangler's own and no others: a build command may have left a daemon that is meant to stay. */
function orphans(): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid !== process.pid && isOfWrangler(pid));
}

function isOfWrangler(pid: number): boolean {
  if (!Number.isInteger(pid) || !read(pid, "environ").split("\0").includes(`${DEV_PID}=${process.pid}`)) return false;
  const [program = "", ...args] = read(pid, "cmdline").split("\0");
  return path.basename(program) === "workerd" || args.some((argument) => /[\\/]wrangler-dist[\\/]/.test(argument));
}

/** @returns nothing of a process that is gone, or is another user's */
function read(pid: number, file: "environ" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return "";
    throw error;
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}
