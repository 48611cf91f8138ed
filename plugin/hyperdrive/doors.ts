/**
 * Where workerd connects to for a Hyperdrive binding: a Unix socket of its own that only this user can open. On Windows it
 * is a port of loopback, and so it is for Node, whose client libraries take no other address. Never keeps the process alive.
 */

import { once } from "node:events";
import { chmod } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import path from "node:path";

import type { EgressProxy } from "../egress/server.ts";
import { type DoorContext, type DoorOf, receiveConnection } from "./connection.ts";

export interface HyperdriveDoors {
  /** For workerd's `external.address`, by `bindingKey`. */
  addresses: ReadonlyMap<string, string>;
  /** Opens the door for client libraries in this process. @returns the port on 127.0.0.1 */
  openForNode(bindingId: string): Promise<number>;
  /** Takes no more connections. Those that are open go on. */
  close(): void;
}

let opened = 0;

/** @param context of the session; `privateDirectory`: where the sockets are */
export async function openDoors(
  bindings: readonly DoorOf[],
  { privateDirectory, ...context }: DoorContext & Pick<EgressProxy, "privateDirectory">,
): Promise<HyperdriveDoors> {
  const servers: net.Server[] = [];
  const addresses = new Map<string, string>();
  const forNode = new Map<string, Promise<number>>();
  const open = async (door: DoorOf, socketPath: string | undefined): Promise<string> => {
    const server = net.createServer({ allowHalfOpen: true }, (inbound) => {
      inbound.unref();
      void receiveConnection(inbound, door, context);
    });
    servers.push(server);
    return await listen(server, socketPath);
  };
  for (const door of bindings) {
    const socketPath = path.join(privateDirectory, `db-${++opened}.sock`);
    addresses.set(door.bindingId, await open(door, process.platform === "win32" ? undefined : socketPath));
  }
  return {
    addresses,
    openForNode(bindingId) {
      const door = bindings.find((each) => each.bindingId === bindingId);
      if (door === undefined) throw new Error(`miniflare-vpc: no Hyperdrive binding ${bindingId}`);
      const known = forNode.get(bindingId) ?? open(door, undefined).then((address) => Number(address.split(":")[1]));
      forNode.set(bindingId, known);
      return known;
    },
    close() {
      for (const server of servers) server.close();
    },
  };
}

/** @param socketPath undefined: any free port of loopback */
async function listen(server: net.Server, socketPath: string | undefined): Promise<string> {
  if (socketPath === undefined) server.listen(0, "127.0.0.1");
  else server.listen(socketPath);
  await once(server, "listening");
  server.unref();
  if (socketPath === undefined) return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await chmod(socketPath, 0o600);
  return `unix:${socketPath}`;
}
