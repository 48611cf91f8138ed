/**
 * Makes a directory for this process's sockets that no other user can enter. Removes it when the
 * process exits, and removes what killed processes left behind.
 */

import { rmSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { messageOf } from "../system/error.ts";
import { isRunning } from "../system/is-running.ts";
import { probe } from "./connections/dial.ts";

const PREFIX = "mvpc-";
export const EGRESS_SOCKET = "egress.sock";

/** macOS limits the path of a Unix socket to 104 bytes. This leaves room for a directory and a file name. */
const MAX_BASE = 56;

/** @returns its absolute path, mode 0700 */
export async function makePrivateDirectory(): Promise<string> {
  const base = baseDirectory();
  await sweep(base);
  const directory = await make(base);
  process.once("exit", () => {
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch {
      // The next process sweeps it, if it can.
    }
  });
  return directory;
}

async function make(base: string): Promise<string> {
  try {
    return await mkdtemp(path.join(base, `${PREFIX}${process.pid}-`));
  } catch (error) {
    const text = `miniflare-vpc: can't make a folder for sockets in ${base}: ${messageOf(error)}. Set TMPDIR to a folder that you can write to.`;
    throw new Error(text, { cause: error });
  }
}

/** Those of this user's processes, also of some that are gone. Never rejects. */
export async function privateDirectories(): Promise<string[]> {
  const base = baseDirectory();
  const names = await readdir(base).catch(() => []);
  const found = names.filter((entry) => pidIn(entry) !== undefined).map((entry) => path.join(base, entry));
  const isOwn = await Promise.all(found.map(isOurs));
  return found.filter((_, index) => isOwn[index]);
}

function baseDirectory(): string {
  return Buffer.byteLength(os.tmpdir()) <= MAX_BASE || process.platform === "win32" ? os.tmpdir() : "/tmp";
}

function pidIn(entry: string): number | undefined {
  const pid = new RegExp(`^${PREFIX}(\\d+)-\\w{6}$`).exec(entry)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** Never rejects. A directory that can't be listed or removed stays. */
async function sweep(base: string): Promise<void> {
  const names = await readdir(base).catch(() => []);
  await Promise.all(
    names.map(async (entry) => {
      const pid = pidIn(entry);
      if (pid === undefined || isRunning(pid)) return;
      const directory = path.join(base, entry);
      // Another user could replace what is being removed in their folder with a link.
      if (!(await isOurs(directory))) return;
      // A container may share the directory but not the process ids, so probe the socket too.
      const socketPath = path.join(directory, EGRESS_SOCKET);
      if (
        (await probe({ type: "unix", path: socketPath }, { limits: { connectTimeout: 1000, dnsTimeout: 1000 } })) ===
        null
      )
        return;
      await rm(directory, { recursive: true, force: true }).catch(() => undefined);
    }),
  );
}

/** Whether it is a directory that belongs to this user. */
async function isOurs(directory: string): Promise<boolean> {
  try {
    const stats = await lstat(directory);
    return stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid());
  } catch {
    // Another process has swept it, or this one isn't allowed to read it.
    return false;
  }
}
