/**
 * Gives the service worker a connection that is reset, so that it can fail its caller's socket (break-off.ts): a Unix
 * socket can't be reset. Listens on loopback for one connection, which must send a token, and then stops listening.
 */

import { randomBytes, timingSafeEqual } from "node:crypto";
import net from "node:net";

import type { EgressReset } from "../../service-worker/routing/egress-protocol.ts";
import { listenOnLoopback } from "../system/listen.ts";

/** Milliseconds. */
const GIVE_UP = 10_000;

export async function listenToReset(): Promise<EgressReset> {
  const token = randomBytes(32).toString("base64url");
  const server = net.createServer((socket) => {
    socket.unref();
    socket.on("error", () => socket.destroy());
    socket.once("data", (data) => {
      if (!isToken(data, token)) return socket.destroy();
      socket.resetAndDestroy();
      server.close();
      return undefined;
    });
  });
  const port = await listenOnLoopback(server, 0);
  server.unref();
  setTimeout(() => server.close(), GIVE_UP).unref();
  return { port, token };
}

function isToken(data: Buffer, token: string): boolean {
  return data.length === token.length && timingSafeEqual(data, Buffer.from(token));
}
