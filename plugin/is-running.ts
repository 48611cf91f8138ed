/** Whether a process is alive, for sweeping what a killed one left behind. Sends it nothing. */

import { hasCode } from "./error.ts";

/** @param pid of this machine; inside a container that is the container's own count */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs, as another user.
    return hasCode(error, "EPERM");
  }
}
