/**
 * Runs in wrangler's process: ends wrangler and what it has started after the `miniflare-vpc dev` that started it was
 * killed with SIGKILL. The other direction is in `dev/end-orphans.ts`.
 */

import { rmSync } from "node:fs";
import path from "node:path";

import { messageOf } from "../system/error.ts";
import { isRunning } from "../system/is-running.ts";
import { retryWhileLocked } from "../system/locked-files.ts";
import { siblingPid } from "../wrangler-config/sibling.ts";

/** The environment variable that carries the process id of `miniflare-vpc dev` to all that it starts. */
export const DEV_PID = "MINIFLARE_VPC_DEV_PID";

/** Milliseconds. */
const POLL = 500;

let following: NodeJS.Timeout | undefined;

/** Ends this process, as ctrl-C would, once `miniflare-vpc dev` is gone. Does nothing if no such process started this one. */
export function followDev(): void {
  const dev = Number(process.env[DEV_PID] ?? 0);
  if (dev === 0 || following !== undefined) return;
  following = setInterval(() => {
    if (isRunning(dev)) return;
    clearInterval(following);
    for (const argument of process.argv) if (siblingPid(path.basename(argument)) === dev) remove(argument);
    process.kill(process.pid, "SIGTERM");
  }, POLL).unref();
}

/** Never throws, because this process has to end in any case. */
function remove(file: string): void {
  try {
    retryWhileLocked(() => rmSync(file, { force: true }));
  } catch (error) {
    console.warn(`miniflare-vpc: can't remove the generated config ${file}: ${messageOf(error)}.`);
  }
}
