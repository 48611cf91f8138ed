/**
 * Ends processes that outlive one killed with SIGKILL, which could not end those it had started.
 * `miniflare-vpc dev`, wrangler and its runtime all carry the session in their environment, and those that are
 * left end the others.
 *
 *   miniflare-vpc dev ──▶ wrangler's launcher ──▶ wrangler ──▶ workerd
 *           │ endOrphans, once the launcher is gone   │ followDev, while it runs (follow-dev.ts)
 */

import { setTimeout } from "node:timers/promises";

import { DEV_PID } from "../miniflare/follow-dev.ts";
import { hasCode, messageOf } from "../system/error.ts";
import { type MarkedProcess, findMarkedProcesses } from "../system/marked-processes.ts";

/** Milliseconds. */
const GRACE = 3000;

/**
 * In `miniflare-vpc dev`: after wrangler's launcher has ended, ends what wrangler did not. Windows needs no help: Node puts
 * its children into a job object there, which ends them with their parent.
 */
export async function endOrphans(): Promise<void> {
  const deadline = Date.now() + GRACE;
  try {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      for (const pid of await findOrphans()) end(pid, signal);
      while ((await findOrphans()).length > 0 && Date.now() < deadline) await setTimeout(20);
    }
  } catch (error) {
    console.error(`miniflare-vpc: can't look for processes that wrangler left running: ${messageOf(error)}.`);
  }
}

/** Only what wrangler needs for itself, because a build command may have left a daemon that is meant to stay. */
async function findOrphans(): Promise<number[]> {
  const marked = await findMarkedProcesses(`${DEV_PID}=${process.pid}`);
  const pids = new Set(marked.map(({ pid }) => pid));
  const isOrphan = (one: MarkedProcess): boolean =>
    isOfWrangler(one.command) || (isEsbuildService(one.command) && !pids.has(one.parent));
  return marked.flatMap((one) => (one.pid !== process.pid && isOrphan(one) ? [one.pid] : []));
}

function isOfWrangler(command: string): boolean {
  return /[\\/]workerd serve |[\\/]wrangler-dist[\\/]/.test(command);
}

/**
 * It builds for the process that started it. If that is killed during a build while it owes the answer to a ping, esbuild
 * waits for both forever. (esbuild 0.28)
 */
function isEsbuildService(command: string): boolean {
  return /[\\/]esbuild(\.exe)? --service=/.test(command);
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}
