/**
 * The sockets that `connect()` returns in Node: each waits for the service worker, which makes the connection and brings
 * the other end. Carries out the orders about them.
 */

import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";

import { ESTABLISHED } from "../../service-worker/routing/egress-protocol.ts";
import { sendRawFailure } from "./egress-error.ts";

export interface NodeSocket {
  /** Half-open: each half ends on its own. */
  duplex: Duplex;
  /** Whether its bytes ended because the target ended; false if the connection broke, or this session is over. */
  isClean: () => boolean;
  /** Tells the other end that this one also takes no more. Call it before the stream is ended or destroyed. */
  leave: () => void;
}

export interface ExpectedSocket extends Disposable {
  socketId: string;
  socket: Promise<NodeSocket>;
}

export interface NodeSockets {
  /** Dispose of it when the service worker has answered. */
  expect: () => ExpectedSocket;
  /** Carries out a `node-socket` order. */
  attach: (socketId: string, duplex: Duplex) => void;
  /** Carries out a `node-end` order. */
  end: (socketId: string, isBroken: boolean) => void;
  /** Carries out a `node-gone` order. */
  isGone: (socketId: string) => boolean;
  /** Carries out a patient one. */
  whenGone: (socketId: string, callback: () => void) => void;
}

export function createNodeSockets(): NodeSockets {
  const expected = new Map<string, (socket: NodeSocket) => void>();
  const attached = new Map<string, { duplex: Duplex; isClean: boolean; isGone: boolean }>();
  return {
    expect() {
      const socketId = randomUUID();
      const { promise: socket, resolve } = Promise.withResolvers<NodeSocket>();
      expected.set(socketId, resolve);
      return { socketId, socket, [Symbol.dispose]: () => void expected.delete(socketId) };
    },
    attach(socketId, duplex) {
      const resolve = expected.get(socketId);
      if (resolve === undefined) {
        return sendRawFailure(duplex, { code: "connection_terminated", detail: "nobody waits for this connection" });
      }
      expected.delete(socketId);
      const known = { duplex, isClean: false, isGone: false };
      attached.set(socketId, known);
      duplex.once("close", () => attached.delete(socketId));
      duplex.write(ESTABLISHED);
      resolve({ duplex, isClean: () => known.isClean, leave: () => (known.isGone = true) });
    },
    end(socketId, isBroken) {
      const known = attached.get(socketId);
      if (known !== undefined) known.isClean = !isBroken;
    },
    isGone: (socketId) => attached.get(socketId)?.isGone ?? true,
    whenGone(socketId, callback) {
      const known = attached.get(socketId);
      if (known === undefined) callback();
      else known.duplex.once("close", callback);
    },
  };
}
