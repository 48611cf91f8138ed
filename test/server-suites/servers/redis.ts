/** Debian's Redis, which keeps nothing on disk. */

import path from "node:path";
import { closedPort } from "../../servers/tcp-server.ts";
import { type Daemon, findCommand, identify, makeFolder, startDaemon } from "./daemon.ts";

export interface RedisServer extends Daemon {
  /** Its unix socket. */
  socket: string;
}

export async function startRedisServer(): Promise<RedisServer> {
  const command = findCommand("redis-server", "redis-server");
  const identity = await identify("redis");
  const folder = await makeFolder("redis", identity);
  const socket = path.join(folder, "redis.sock");
  const port = await closedPort();
  const settings = { port, bind: "127.0.0.1", dir: folder, save: "", unixsocket: socket, unixsocketperm: "777" };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const ready = /The server is now ready to accept connections at/;
  return { ...(await startDaemon({ command, args, identity, port, folder, ready })), socket };
}
