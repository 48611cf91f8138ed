/** Processes: memory, file descriptors, children. Linux only. */

import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import path from "node:path";

export interface Usage {
  /** Bytes. */
  memory: number;
  descriptors: number;
  /** The descriptors that are listening sockets. */
  listeners: number;
}

export function usageOf(pid: number): Usage {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  const links = readdirSync(`/proc/${pid}/fd`).map((descriptor) => linkAt(`/proc/${pid}/fd/${descriptor}`));
  const listening = listeningSockets();
  return {
    memory: pages * 4096,
    descriptors: links.length,
    listeners: links.filter((link) => listening.has(link)).length,
  };
}

/** @returns the links of file descriptors. proc(5): a TCP socket has the state 0A, a unix socket the flag 00010000 */
function listeningSockets(): Set<string> {
  const tcp = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) =>
    rowsOf(table)
      .filter((row) => row[3] === "0A")
      .map((row) => row[9]),
  );
  const unix = rowsOf("/proc/net/unix")
    .filter((row) => row[3] === "00010000")
    .map((row) => row[6]);
  return new Set([...tcp, ...unix].map((inode) => `socket:[${inode}]`));
}

function rowsOf(table: string): string[][] {
  return readFileSync(table, "utf8")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

/** @returns "" if the descriptor or process is gone meanwhile */
function linkAt(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

export interface RunningProcess {
  pid: number;
  parent: number;
  command: string;
}

/** All processes but zombies. */
export function listProcesses(): RunningProcess[] {
  return readdirSync("/proc")
    .map(Number)
    .filter(Number.isInteger)
    .flatMap((pid) => {
      const stat = read(`/proc/${pid}/stat`);
      // `pid (name) state parent …`, where the name may contain any character.
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === undefined || state === "" || state === "Z") return [];
      return [{ pid, parent: Number(parent), command: read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() }];
    });
}

/** The runtimes that are children of a process. */
export function runtimesOf(pid: number): number[] {
  return listProcesses()
    .filter(({ parent, command }) => parent === pid && path.basename(command.split(" ", 1)[0] ?? "") === "workerd")
    .map((process) => process.pid);
}

/** Processes whose working directory is in a folder. */
export function processesIn(folder: string): RunningProcess[] {
  return listProcesses().filter(({ pid }) => linkAt(`/proc/${pid}/cwd`).startsWith(folder));
}
