/**
 * Reads the certificate authorities of this machine's own store. The system may take seconds to answer, as on a Mac with
 * a network filter, so a process of its own asks. A thread would not do: nothing can end it while the system is busy.
 */

import { execFile } from "node:child_process";
import type { Socket } from "node:net";
import { promisify } from "node:util";

import { messageOf } from "./error.ts";

/** Available since Node 22.15. */
const SOURCE = `process.stdout.write(JSON.stringify(process.getBuiltinModule("node:tls").getCACertificates?.("system") ?? []))`;

/** Milliseconds. */
const TIME_LIMIT = 30_000;

/** Bytes. A store has about 200 certificates of 2 kB. */
const MAX_SIZE = 64 * 1024 * 1024;

/** @returns PEM texts. Never rejects: if the store can't be read, that is printed, and there are none. */
export async function readSystemRoots(): Promise<string[]> {
  let end: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const reading = promisify(execFile)(process.execPath, ["-e", SOURCE], {
      maxBuffer: MAX_SIZE,
      windowsHide: true,
    });
    const { child } = reading;
    // Nothing here keeps this process alive, and nothing outlives it.
    child.unref();
    for (const pipe of child.stdio) (pipe as Socket | null)?.unref();
    end = () => void child.kill("SIGKILL");
    process.once("exit", end);
    timer = setTimeout(end, TIME_LIMIT).unref();
    return JSON.parse((await reading).stdout) as string[];
  } catch (error) {
    console.warn(
      `miniflare-vpc: can't read the certificates of this machine's own store: ${messageOf(error)}. Those that only this store trusts are refused; restart to try again, or name their root in "ca".`,
    );
    return [];
  } finally {
    clearTimeout(timer);
    if (end) process.off("exit", end);
  }
}
