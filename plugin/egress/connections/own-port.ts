/**
 * Whether a loopback port belongs to this session: to a runtime that this process started, directly or
 * indirectly. Anything else that listens in this process or its children may be the private service itself,
 * such as a test's database. Slow, because it reads the system's tables; only rare cases ask.
 */

import { execFile } from "node:child_process";
import { readFile, readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { hasCode } from "../../system/error.ts";
import { PROC_NET_FILES, parseListeners } from "../../system/proc-net.ts";

/** Questions that come while an answer is being found share it, because calls that exceed a limit do so together. */
const pending = new Map<number, Promise<boolean>>();

/** Never rejects. False if the system can't tell, as on Windows. */
export function isOwnPort(port: number): Promise<boolean> {
  const known = pending.get(port);
  if (known !== undefined) return known;
  const answer = findOut(port).finally(() => pending.delete(port));
  pending.set(port, answer);
  return answer;
}

async function findOut(port: number): Promise<boolean> {
  try {
    switch (process.platform) {
      case "linux":
        return await isOwnOnLinux(port);
      case "darwin":
        return await isOwnOnMac(port);
      default:
        return false;
    }
  } catch {
    // This system has no /proc or lsof, so there is no answer.
    return false;
  }
}

async function isOwnOnLinux(port: number): Promise<boolean> {
  const tables = await Promise.all(PROC_NET_FILES.map(readIfThere));
  const listeners = tables.flatMap(parseListeners).filter((listener) => listener.port === port);
  // In the form that the links of file descriptors have.
  const sockets = new Set(listeners.map(({ inode }) => `socket:[${inode}]`));
  if (sockets.size === 0) return false;
  const parents = new Map<number, number>();
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (Number.isInteger(pid)) parents.set(pid, parentIn(await readIfThere(`/proc/${pid}/stat`)));
  }
  for (const pid of ownProcesses(parents)) {
    const [program = ""] = (await readIfThere(`/proc/${pid}/cmdline`)).split("\0");
    if (path.basename(program) !== RUNTIME) continue;
    for (const link of await linksIn(`/proc/${pid}/fd`)) if (sockets.has(link)) return true;
  }
  return false;
}

/** The name of workerd's process. */
const RUNTIME = "workerd";

/** proc(5): `pid (name) state parent …`. The name may contain any character. */
function parentIn(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

async function linksIn(directory: string): Promise<string[]> {
  try {
    const descriptors = await readdir(directory);
    return await Promise.all(descriptors.map((descriptor) => linkAt(path.join(directory, descriptor))));
  } catch (error) {
    return ignoreGone(error, []);
  }
}

async function linkAt(file: string): Promise<string> {
  try {
    return await readlink(file);
  } catch (error) {
    return ignoreGone(error, "");
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    return ignoreGone(error, "");
  }
}

/** Processes and their files come and go in the meantime, and some belong to other users. */
function ignoreGone<T>(error: unknown, otherwise: T): T {
  if (hasCode(error, "ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL")) return otherwise;
  throw error;
}

/** Written from the manuals of lsof and ps. Not tested on a Mac yet. */
async function isOwnOnMac(port: number): Promise<boolean> {
  const run = promisify(execFile);
  // lsof fails if nothing is listening.
  const listening = await run("lsof", ["-nP", "-t", "-a", "-c", RUNTIME, `-iTCP:${port}`, "-sTCP:LISTEN"]);
  const listeners = listening.stdout.split("\n").filter(Boolean).map(Number);
  const { stdout } = await run("ps", ["-axo", "pid=,ppid="]);
  const lines = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const own = ownProcesses(new Map(lines.map(([pid = 0, parent = 0]) => [pid, parent])));
  return listeners.some((pid) => own.has(pid));
}

/** This process and its descendants. @param parents the parent of every process */
function ownProcesses(parents: ReadonlyMap<number, number>): Set<number> {
  const own = new Set([process.pid]);
  let before = 0;
  while (own.size > before) {
    before = own.size;
    for (const [pid, parent] of parents) if (own.has(parent)) own.add(pid);
  }
  return own;
}
