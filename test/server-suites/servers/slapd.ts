/** Debian's OpenLDAP, with an empty directory `dc=shop`. The administrator's password is `secret`. */

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { closedPort } from "../../servers/tcp-server.ts";
import { type Daemon, findCommand, makeFolder, startDaemon } from "./daemon.ts";

export async function startSlapd(): Promise<Daemon> {
  const command = findCommand("slapd", "slapd");
  const folder = await makeFolder("slapd", {});
  await mkdir(path.join(folder, "data"));
  const config = path.join(folder, "slapd.conf");
  await writeFile(
    config,
    `include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
database mdb
suffix "dc=shop"
rootdn "cn=admin,dc=shop"
rootpw secret
directory ${folder}/data
`,
  );
  const port = await closedPort();
  // A debug level keeps it in the foreground.
  const args = ["-f", config, "-h", `ldap://127.0.0.1:${port}`, "-d", "stats"];
  return await startDaemon({ command, args, identity: {}, port, folder, ready: /slapd starting/ });
}
