/**
 * Whether a loopback port is this very session's: of a runtime that this process has started, directly or
 * not. What else listens in this process or its children may be the private service itself, as a test's
 * database is. Slow (it reads the system's tables), and asked only in rare cases.
 */

import { execFile } from "node:child_process";
import { readFile, readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { hasCode } from "../error.ts";
import { PROC_NET_FILES, parseListeners } from "../proc-net.ts";

/** Who asks while an answer is being found gets that one: calls that go over a limit do so together. */
const pending = new Map<number, Promise<boolean>>();

/** Never rejects; false wherever it can't be told, as on Windows. */
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
    // A system without /proc or lsof: then nothing is known.
    return false;
  }
}

async function isOwnOnLinux(port: number): Promise<boolean> {
  const tables = await Promise.all(PROC_NET_FILES.map(readIfThere));
  const listeners = tables.flatMap(parseListeners).filter((listener) => listener.port === port);
  // As file descriptors show them.
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

/** What workerd is called among the system's processes. */
const RUNTIME = "workerd";

/** proc(5): `pid (name) state parent …`, where the name may hold anything. */
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

/** Processes and their files come and go while they are looked at, and some are not ours to see. */
function ignoreGone<T>(error: unknown, otherwise: T): T {
  if (hasCode(error, "ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL")) return otherwise;
  throw error;
}

/** Written from the manuals of lsof and ps, and never run on a Mac so far. */
async function isOwnOnMac(port: number): Promise<boolean> {
  const run = promisify(execFile);
  // It fails where nobody listens.
  const listening = await run("lsof", ["-nP", "-t", "-a", "-c", RUNTIME, `-iTCP:${port}`, "-sTCP:LISTEN"]);
  const listeners = listening.stdout.split("\n").filter(Boolean).map(Number);
  const { stdout } = await run("ps", ["-axo", "pid=,ppid="]);
  const lines = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const own = ownProcesses(new Map(lines.map(([pid = 0, parent = 0]) => [pid, parent])));
  return listeners.some((pid) => own.has(pid));
}

/** This process and its descendants. @param parents of every process */
function ownProcesses(parents: ReadonlyMap<number, number>): Set<number> {
  const own = new Set([process.pid]);
  let before = 0;
  while (own.size > before) {
    before = own.size;
    for (const [pid, parent] of parents) if (own.has(parent)) own.add(pid);
  }
  return own;
}
