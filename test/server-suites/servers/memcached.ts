/** Debian's memcached. */

import { closedPort } from "../../servers/tcp-server.ts";
import { type Daemon, findCommand, identify, makeFolder, startDaemon } from "./daemon.ts";

export async function startMemcached(): Promise<Daemon> {
  const command = findCommand("memcached", "memcached");
  const identity = await identify("nobody");
  const folder = await makeFolder("memcached", identity);
  const port = await closedPort();
  const args = ["-l", "127.0.0.1", "-p", String(port), "-U", "0", "-v", "-v"];
  return await startDaemon({ command, args, identity, port, folder, ready: /server listening/ });
}
