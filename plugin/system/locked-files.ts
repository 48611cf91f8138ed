/**
 * On Windows an antivirus or an indexer may hold a file for a moment after it was written, and then it can't be renamed,
 * removed or written. Trying again soon helps.
 */

import { hasCode } from "./error.ts";

/** Milliseconds. */
const PATIENCE = 1000;
const PAUSE = 20;

/**
 * Blocks the thread for up to a second.
 *
 * @param change one that may be made again after it failed
 * @throws the last error
 */
export function retryWhileLocked<T>(change: () => T): T {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      return change();
    } catch (error) {
      if (!isLocked(error) || performance.now() >= deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}

/** What Windows says about a file that another program holds. Elsewhere EACCES is about permissions, which last. */
function isLocked(error: unknown): boolean {
  return hasCode(error, "EBUSY", "EPERM") || (process.platform === "win32" && hasCode(error, "EACCES"));
}
