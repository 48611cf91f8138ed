/** Whether a process is alive, for removing what a killed one left behind. Sends it no signal. */

import { hasCode } from "./error.ts";

/** @param pid on this machine; inside a container, the container's own id */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs as another user.
    return hasCode(error, "EPERM");
  }
}
