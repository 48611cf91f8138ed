/** Debian's NATS. */

import { closedPort } from "../../servers/tcp-server.ts";
import { type Daemon, findCommand, makeFolder, startDaemon } from "./daemon.ts";

export async function startNatsServer(): Promise<Daemon> {
  const command = findCommand("nats-server", "nats-server");
  const folder = await makeFolder("nats", {});
  const port = await closedPort();
  const args = ["-a", "127.0.0.1", "-p", String(port)];
  return await startDaemon({ command, args, identity: {}, port, folder, ready: /Server is ready/ });
}
