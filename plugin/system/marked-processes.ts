/** Finds this user's processes by a variable in their environment, which children inherit from the process that set it. */

import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { promisify } from "node:util";

import { hasCode } from "./error.ts";

export interface MarkedProcess {
  pid: number;
  /** The process that started it, or whatever took its place when that one ended. */
  parent: number;
  /** The program and its arguments, with spaces between them. */
  command: string;
}

/**
 * @param marker a variable and its value: `NAME=value`, without a space
 * @returns none on other systems than Linux and macOS
 * @throws if macOS's `ps` can't be run
 */
export async function findMarkedProcesses(marker: string): Promise<MarkedProcess[]> {
  switch (process.platform) {
    case "linux":
      return findInProc(marker);
    case "darwin":
      return await askPs(marker);
    default:
      return [];
  }
}

function findInProc(marker: string): MarkedProcess[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && read(pid, "environ").split("\0").includes(marker))
    .map((pid) => ({ pid, parent: parentOf(pid), command: read(pid, "cmdline").replaceAll("\0", " ").trim() }));
}

/** proc(5): `pid (name) state parent …`, where the name may contain any character. */
function parentOf(pid: number): number {
  const stat = read(pid, "stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

/** @returns "" for a process that is gone or belongs to another user */
function read(pid: number, file: "environ" | "cmdline" | "stat"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return "";
    throw error;
  }
}

/** Written from the manual of macOS's ps(1): `-E` adds the environment to the command. Not tested on a Mac yet. */
async function askPs(marker: string): Promise<MarkedProcess[]> {
  const [commands, withEnvironment] = await Promise.all([listWith([]), listWith(["-E"])]);
  const isMarked = ({ command }: MarkedProcess): boolean => command.split(" ").includes(marker);
  const marked = new Set(withEnvironment.filter(isMarked).map(({ pid }) => pid));
  return commands.filter(({ pid }) => marked.has(pid));
}

/** Bytes: every process of the machine, each with its environment. */
const MAX_OUTPUT = 64 * 1024 * 1024;

async function listWith(flags: readonly string[]): Promise<MarkedProcess[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", ...flags, "-ww", "-o", "pid=,ppid=,command="], {
    maxBuffer: MAX_OUTPUT,
  });
  return Array.from(stdout.matchAll(/^ *(\d+) +(\d+) (.*)$/gm), ([, pid, parent, command = ""]) => ({
    pid: Number(pid),
    parent: Number(parent),
    command,
  }));
}
