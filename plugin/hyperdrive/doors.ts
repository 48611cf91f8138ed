/**
 * Where workerd connects to for a Hyperdrive binding: a Unix socket of its own that only this user can open. On Windows it
 * is a port of loopback, and so it is for Node, whose client libraries take no other address. Never keeps the process alive.
 */

import net from "node:net";
import path from "node:path";

import type { EgressProxy } from "../egress/server.ts";
import { formatPlace, listenOnLoopback, listenPrivately } from "../system/listen.ts";
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
  const serverOf = (door: DoorOf): net.Server => {
    const server = net.createServer({ allowHalfOpen: true }, (inbound) => {
      inbound.unref();
      void receiveConnection(inbound, door, context);
    });
    server.unref();
    servers.push(server);
    return server;
  };
  for (const door of bindings) {
    const socketPath = path.join(privateDirectory, `db-${++opened}.sock`);
    addresses.set(door.bindingId, formatPlace(await listenPrivately(serverOf(door), socketPath)));
  }
  return {
    addresses,
    openForNode(bindingId) {
      const door = bindings.find((each) => each.bindingId === bindingId);
      if (door === undefined) throw new Error(`miniflare-vpc: no Hyperdrive binding ${bindingId}`);
      const known = forNode.get(bindingId) ?? listenOnLoopback(serverOf(door), 0);
      forNode.set(bindingId, known);
      return known;
    },
    close() {
      for (const server of servers) server.close();
    },
  };
}
