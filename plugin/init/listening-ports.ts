/**
 * Which TCP ports of this machine somebody listens on. Asks the system; where it can't tell, dials the usual ones.
 */

import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";

import { hasCode } from "../error.ts";
import { PROC_NET_FILES, parseListeners } from "../proc-net.ts";

/** Milliseconds: on loopback nobody takes longer to answer. */
const DIAL_TIMEOUT = 250;
const USUAL_PORTS = [
  80, 443, 1883, 3000, 3001, 3002, 3003, 3306, 4000, 4222, 5000, 5432, 5672, 6379, 8000, 8080, 8081, 8443, 9000, 9092,
  9200, 11_211, 27_017,
];

/** @returns those that `localhost` reaches, ascending */
export async function listeningPorts(): Promise<number[]> {
  const ports = (await askSystem()) ?? (await dialUsualPorts());
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

async function askSystem(): Promise<number[] | undefined> {
  switch (process.platform) {
    case "linux": {
      const tables = await Promise.all(PROC_NET_FILES.map(readTable));
      return tables.every((table) => table === undefined)
        ? undefined
        : tables.flatMap((table) => parseListeners(table ?? "").map(({ port }) => port));
    }
    case "darwin": {
      const { status, stdout } = spawnSync("lsof", ["-nP", "-iTCP", "-sTCP:LISTEN", "-Fn"], { encoding: "utf8" });
      // It fails too when it may not see everything, and then tells what it saw.
      return status === null ? undefined : parseLsof(stdout);
    }
    default:
      return undefined;
  }
}

async function readTable(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES")) return undefined;
    throw error;
  }
}

/** @param output a line `n127.0.0.1:3000` for each socket, and others */
export function parseLsof(output: string): number[] {
  return Array.from(output.matchAll(/^n(?:\*|127\.[\d.]+|\[::1?\]|localhost):(\d+)$/gm), ([, port]) => Number(port));
}

async function dialUsualPorts(): Promise<number[]> {
  const open = await Promise.all(USUAL_PORTS.map(async (port) => ((await isListening(port)) ? [port] : [])));
  return open.flat();
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(DIAL_TIMEOUT, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
