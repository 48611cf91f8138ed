/**
 * Reads a file that a config names. Refuses pipes and devices, because they may never end, and files that are larger
 * than a config written by hand.
 */

import { readFileSync, statSync } from "node:fs";

/** Bytes. A config with 100 000 routes is much smaller. */
const MAX_SIZE = 16_000_000;

/** @param file absolute path. @throws {Error} from the system, or one that says why the file is refused */
export function readFile(file: string): Buffer {
  const stats = statSync(file);
  // For a folder, the system's own error is clear.
  if (!stats.isFile() && !stats.isDirectory()) throw new Error("it is a pipe, a socket or a device, not a file");
  if (stats.size > MAX_SIZE) {
    throw new Error(`its size is ${Math.round(stats.size / 1e6)} MB, but the limit is ${MAX_SIZE / 1e6} MB`);
  }
  return readFileSync(file);
}
