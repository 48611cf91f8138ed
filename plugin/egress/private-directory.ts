/**
 * A directory for this process's sockets that no other user can enter, removed when the process
 * exits. What killed processes left behind is swept.
 */

import { rmSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { hasCode } from "../error.ts";
import { isRunning } from "../is-running.ts";
import { probe } from "./dial.ts";

const PREFIX = "mvpc-";
export const EGRESS_SOCKET = "egress.sock";

/** macOS limits the path of a unix socket to 104 octets; this leaves room for a directory and a file name. */
const MAX_BASE = 56;

/** @returns its absolute path, mode 0700 */
export async function makePrivateDirectory(): Promise<string> {
  const base = Buffer.byteLength(os.tmpdir()) <= MAX_BASE || process.platform === "win32" ? os.tmpdir() : "/tmp";
  await sweep(base);
  const directory = await mkdtemp(path.join(base, `${PREFIX}${process.pid}-`));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function sweep(base: string): Promise<void> {
  const names = await readdir(base);
  await Promise.all(
    names.map(async (entry) => {
      const pid = new RegExp(`^${PREFIX}(\\d+)-\\w{6}$`).exec(entry)?.[1];
      if (pid === undefined || isRunning(Number(pid))) return;
      const directory = path.join(base, entry);
      // In a folder of another user's, a link could take the place of what is being removed.
      if (!(await isOurs(directory))) return;
      // A container may share the directory but not the process ids, so the socket is asked as well.
      const socketPath = path.join(directory, EGRESS_SOCKET);
      if (
        (await probe({ type: "unix", path: socketPath }, { limits: { connectTimeout: 1000, dnsTimeout: 1000 } })) ===
        null
      )
        return;
      await rm(directory, { recursive: true, force: true });
    }),
  );
}

/** Whether it is a directory, and this user's. */
async function isOurs(directory: string): Promise<boolean> {
  try {
    const stats = await lstat(directory);
    return stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid());
  } catch (error) {
    // Another process has swept it.
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}
