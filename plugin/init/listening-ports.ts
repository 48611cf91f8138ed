/**
 * Lists the TCP ports that something listens on. Asks the system; if that fails, dials the usual ports.
 */

import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";

import { hasCode } from "../system/error.ts";
import { PROC_NET_FILES, parseListeners } from "../system/proc-net.ts";

/** In milliseconds. Loopback answers faster. */
const DIAL_TIMEOUT = 250;
const USUAL_PORTS = [
  80, 443, 1883, 3000, 3001, 3002, 3003, 3306, 4000, 4222, 5000, 5432, 5672, 6379, 8000, 8080, 8081, 8443, 9000, 9092,
  9200, 11_211, 27_017,
];

/** @returns the ports that `localhost` reaches, in ascending order */
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
        : tables.flatMap((table) =>
            parseListeners(table ?? "").flatMap(({ port, isAtLocalhost }) => (isAtLocalhost ? [port] : [])),
          );
    }
    case "darwin": {
      const { status, stdout } = spawnSync("lsof", ["-nP", "-iTCP", "-sTCP:LISTEN", "-Fn"], { encoding: "utf8" });
      // lsof also fails if it may not see everything, but still prints what it sees.
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

/** @param output has a line such as `n127.0.0.1:3000` for each socket, among other lines */
export function parseLsof(output: string): number[] {
  return Array.from(output.matchAll(/^n(?:\*|127\.0\.0\.1|\[::1?\]|localhost):(\d+)$/gm), ([, port]) => Number(port));
}

async function dialUsualPorts(): Promise<number[]> {
  const open = await Promise.all(USUAL_PORTS.map(async (port) => ((await isListening(port)) ? [port] : [])));
  return open.flat();
}

/** Whether something listens on either address of `localhost`: Vite, for example, only on `::1`. */
export async function isListening(port: number): Promise<boolean> {
  return (await Promise.all(["127.0.0.1", "::1"].map((host) => isOpen(host, port)))).includes(true);
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (hasAccepted: boolean): void => {
      socket.destroy();
      resolve(hasAccepted);
    };
    socket.setTimeout(DIAL_TIMEOUT, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
