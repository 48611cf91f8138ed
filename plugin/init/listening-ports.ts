/**
 * Which TCP ports of this machine somebody listens on. Asks the system; where it can't tell, dials the usual ones.
 */

import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";

import { hasCode } from "../error.ts";

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
      const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(readTable));
      return tables.every((table) => table === undefined)
        ? undefined
        : tables.flatMap((table) => parseProc(table ?? ""));
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

/** In what `/proc/net/tcp` calls a listening socket. */
const LISTEN = "0A";

/** @param table of `/proc/net/tcp` or `tcp6`: addresses in hexadecimal, as the machine keeps them */
export function parseProc(table: string): number[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    return state === LISTEN && isLocal(address) ? [Number.parseInt(port, 16)] : [];
  });
}

/** Every address, or loopback: 127.0.0.0/8, `::1`, and 127.0.0.0/8 in IPv6. */
function isLocal(address: string): boolean {
  if (/^0+$/.test(address)) return true;
  return address.length === 8
    ? address.endsWith("7F")
    : address === "00000000000000000000000001000000" || /^0{16}FFFF0000.{6}7F$/.test(address);
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
