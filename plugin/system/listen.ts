/** Makes a server of this process listen where no other machine has access. */

import { once } from "node:events";
import { chmod } from "node:fs/promises";
import type { AddressInfo, ListenOptions, Server } from "node:net";

/**
 * Connections that wait while this process is busy; the system may allow fewer. A Unix socket refuses those beyond at once
 * (EAGAIN), and Node's default of 511 is less than what one request of a Worker can begin.
 */
const BACKLOG = 16_384;

/**
 * @param port 0: any free one
 * @returns the port
 * @throws the system's error if it can't be used
 */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
  await listen(server, { host: "127.0.0.1", port });
  return (server.address() as AddressInfo).port;
}

export type PrivatePlace = { socketPath: string } | { host: string; port: number };

/**
 * Only this user has access, and the server doesn't keep the process alive.
 *
 * @param socketPath on Windows, where workerd has no Unix sockets, it is a port of loopback, which any user can reach
 */
export async function listenPrivately(server: Server, socketPath: string): Promise<PrivatePlace> {
  server.unref();
  if (process.platform === "win32") return { host: "127.0.0.1", port: await listenOnLoopback(server, 0) };
  await listen(server, { path: socketPath });
  await chmod(socketPath, 0o600);
  return { socketPath };
}

/** For workerd's `external.address`. */
export function formatPlace(place: PrivatePlace): string {
  return "socketPath" in place ? `unix:${place.socketPath}` : `${place.host}:${place.port}`;
}

async function listen(server: Server, place: ListenOptions): Promise<void> {
  server.listen({ ...place, backlog: BACKLOG });
  await once(server, "listening");
}
