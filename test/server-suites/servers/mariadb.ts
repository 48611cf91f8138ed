/** Debian's MariaDB. */

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { closedPort } from "../../servers/tcp-server.ts";
import { type Daemon, findCommand, identify, makeFolder, startDaemon } from "./daemon.ts";

const PACKAGE = "mariadb-server";

/** The user is `app`, the database `shop`. */
export async function startMariadb(password = "secret"): Promise<Daemon> {
  const install = findCommand("mariadb-install-db", PACKAGE);
  const command = findCommand("mariadbd", PACKAGE);
  const identity = await identify("mysql");
  const folder = await makeFolder("mariadb", identity);
  const data = path.join(folder, "data");
  const common = ["--no-defaults", `--datadir=${data}`];
  await promisify(execFile)(install, [...common, "--skip-test-db", "--auth-root-authentication-method=normal"], {
    ...identity,
    cwd: folder,
  });
  const initFile = path.join(folder, "init.sql");
  const init = `create database shop; create user app@'%' identified by '${password}'; grant all on shop.* to app@'%';`;
  await writeFile(initFile, init.replaceAll("; ", ";\n"), { mode: 0o644 });
  const port = await closedPort();
  return await startDaemon({
    command,
    args: [
      ...common,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--socket=${path.join(folder, "mariadb.sock")}`,
      `--pid-file=${path.join(folder, "mariadb.pid")}`,
      `--init-file=${initFile}`,
    ],
    identity,
    port,
    folder,
    ready: /ready for connections/,
  });
}
