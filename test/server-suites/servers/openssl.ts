/** OpenSSL's `s_server`, which refuses a client certificate with the alerts of RFC 8446 §6.2. */

import { writeFile } from "node:fs/promises";
import path from "node:path";

import { closedPort } from "../../servers/tcp-server.ts";
import type { Certified } from "../../servers/tls-certificates.ts";
import { type Daemon, findCommand, makeFolder, startDaemon } from "./daemon.ts";

export interface OpensslOptions {
  server: Certified;
  /** PEM: the root of the client certificates that it accepts. One is required. */
  clientRoot: string;
  version: "1.2" | "1.3";
}

/** Answers each request with a page about the connection. */
export async function startOpenssl({ server, clientRoot, version }: OpensslOptions): Promise<Daemon> {
  const command = findCommand("openssl", "openssl");
  const folder = await makeFolder("openssl", {});
  await writeFile(path.join(folder, "server.pem"), server.cert + server.key);
  await writeFile(path.join(folder, "clients.pem"), clientRoot);
  const port = await closedPort();
  const options = `-www -tls${version.replace(".", "_")} -cert server.pem -CAfile clients.pem -Verify 2 -verify_return_error`;
  const args = ["s_server", "-accept", `127.0.0.1:${port}`, ...options.split(" ")];
  return await startDaemon({ command, args, identity: {}, port, folder, ready: /^ACCEPT/m });
}
