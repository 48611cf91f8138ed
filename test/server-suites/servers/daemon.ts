/** A server of a Debian package as a child process, with its own folder and port. Disposal ends and removes it. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

/** A user's PATH may lack some of these. */
const FOLDERS = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
/** Milliseconds. */
const START_LIMIT = 30_000;

export interface Daemon extends AsyncDisposable {
  port: number;
  /** Removed when the server ends. */
  folder: string;
}

/** The user of a server: the package's user if this process is root, because database servers refuse root. */
export interface Identity {
  uid?: number;
  gid?: number;
}

export interface DaemonOptions {
  command: string;
  args: readonly string[];
  identity: Identity;
  port: number;
  folder: string;
  /** Matches the output when the server is ready. */
  ready: RegExp;
}

/** @throws an `Error` with the server's output if it ends or isn't ready in time */
export async function startDaemon({ command, args, identity, port, folder, ready }: DaemonOptions): Promise<Daemon> {
  const child = spawn(command, args, { ...identity, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  let output = "";
  const isReady = new Promise<"ready">((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (ready.test(output)) resolve("ready");
      });
    }
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const limit = AbortSignal.timeout(START_LIMIT);
  const outcome = await Promise.race([isReady, exited.then(() => "ended"), once(limit, "abort").then(() => "silent")]);
  if (outcome !== "ready") {
    await stop();
    throw new Error(`${command} ${outcome === "ended" ? "ended" : "was not ready in time"}:\n${output}`);
  }
  return { port, folder, [Symbol.asyncDispose]: stop };
}

/** @throws an `Error` that says what to type if it is missing. A missing server is a failure, not a skip */
export function findCommand(command: string, packageName: string, folders: readonly string[] = FOLDERS): string {
  const found = folders.map((folder) => path.join(folder, command)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${command} is not installed. Type:\n    apt-get install ${packageName}`);
  return found;
}

/** @param userName the user that the server's package creates */
export async function identify(userName: string): Promise<Identity> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map(async (flag) => Number((await promisify(execFile)("id", [flag, userName])).stdout)),
  );
  return { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
}

export async function makeFolder(server: string, { uid, gid }: Identity): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `miniflare-vpc-${server}-`));
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  return folder;
}
