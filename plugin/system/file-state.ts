/** Says whether a file has changed: not just whether the system reported an event for it. */

import { createHash } from "node:crypto";
import { type Stats, lstatSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { messageOf } from "./error.ts";
import { placesOf } from "./places.ts";

/** Bytes. No config is larger. */
const MAX_READ = 16_000_000n;

/** What a file is, as a text that differs whenever that differs. Its permissions count only if they forbid reading it. */
export function stateOf(file: string): string {
  try {
    const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return "missing";
    const { ino, size, mtimeNs } = stats;
    // A pipe might never end.
    const isReadable = stats.isFile() && size <= MAX_READ;
    // Some file systems count in seconds, so two writes may have the same time.
    const content = isReadable ? createHash("sha256").update(readFileSync(file)).digest("base64") : "";
    return `${ino} ${size} ${mtimeNs} ${content}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** Milliseconds by which the file system's clock may be behind. */
const CLOCK_TICK = 20;

/** Whether a file was written, replaced or linked elsewhere since then, as far as its current state shows. */
export function changedSince(file: string, time: number): boolean {
  return placesOf(file).some(({ folder, name }) => {
    const stats = lookAt(path.join(folder, name));
    return stats !== undefined && Math.max(stats.mtimeMs, stats.ctimeMs) >= time - CLOCK_TICK;
  });
}

/** Undefined also for an invalid name. */
function lookAt(place: string): Stats | undefined {
  try {
    return lstatSync(place, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
