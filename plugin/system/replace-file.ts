/** Replaces a file by a whole one, or not at all. Synchronous, because a process may be about to end. */

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import path from "node:path";

import { hasCode } from "./error.ts";
import { isRunning } from "./is-running.ts";
import { retryWhileLocked } from "./locked-files.ts";

/**
 * Makes the folder if there is none. The file is only for this user (mode 0600).
 *
 * @param pieces of its content
 * @throws the system's error; the file is then as it was
 */
export function replaceFile(file: string, pieces: Iterable<string | Uint8Array>): void {
  const place = targetOf(file);
  mkdirSync(path.dirname(place), { recursive: true });
  sweep(place);
  const unfinished = unfinishedName(place, process.pid);
  try {
    const opened = openSync(unfinished, "w", 0o600);
    try {
      for (const piece of pieces) writeAll(opened, Buffer.from(piece));
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    retryWhileLocked(() => renameSync(unfinished, place));
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** A link stays one. */
function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return file;
    throw error;
  }
}

function writeAll(opened: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(opened, bytes, written);
}

/** In the same folder, because a rename is only atomic there. */
function unfinishedName(file: string, pid: number): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${pid}.tmp`);
}

/** Removes what a killed process left behind. */
function sweep(file: string): void {
  const [before, after] = path.basename(unfinishedName(file, 0)).split(/(?<=\.)0(?=\.tmp$)/);
  for (const name of readdirSync(path.dirname(file))) {
    if (!name.startsWith(before ?? "") || !name.endsWith(after ?? "")) continue;
    const pid = Number(name.slice(before?.length, -(after?.length ?? 0)));
    if (Number.isInteger(pid) && pid > 0 && !isRunning(pid))
      rmSync(path.join(path.dirname(file), name), { force: true });
  }
}
