/** Debian's PostgreSQL, with passwords by SCRAM. */

import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { closedPort } from "../../servers/tcp-server.ts";
import { type Daemon, findCommand, identify, makeFolder, startDaemon } from "./daemon.ts";

const PACKAGE = "postgresql";

export interface Postgres extends Daemon {
  /** Its unix socket. */
  socket: string;
}

/** The user is `postgres`. */
export async function startDebianPostgres(password = "postgres"): Promise<Postgres> {
  const folders = versions("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`);
  const initdb = findCommand("initdb", PACKAGE, folders);
  const command = findCommand("postgres", PACKAGE, folders);
  const identity = await identify("postgres");
  const folder = await makeFolder("postgres", identity);
  const passwordFile = path.join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o644 });
  const data = path.join(folder, "data");
  const init = ["-D", data, "-U", "postgres", "-E", "UTF8", "--no-sync", "--auth=scram-sha-256"];
  await promisify(execFile)(initdb, [...init, `--pwfile=${passwordFile}`], { ...identity, cwd: folder });
  const port = await closedPort();
  const settings = { port, listen_addresses: "127.0.0.1", unix_socket_directories: folder, fsync: "off" };
  const daemon = await startDaemon({
    command,
    args: ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    identity,
    port,
    folder,
    ready: /ready to accept connections/,
  });
  return { ...daemon, socket: path.join(folder, `.s.PGSQL.${port}`) };
}

function versions(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
