/**
 * The kept connections to targets, plain and TLS. Those of one key are interchangeable.
 */

import http from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { callbackify } from "node:util";

import type { EgressLimits } from "../../service-worker/egress-protocol.ts";
import { addressOf, countInUse } from "./connection-count.ts";
import { type DialTarget, dial } from "./dial.ts";
import { type TlsTerms, dialTls } from "./tls.ts";

/** What decides which connection a request goes over. */
export interface Route {
  target: DialTarget;
  limits: EgressLimits;
  /** Absent: plain HTTP. */
  terms: TlsTerms | undefined;
}

export interface PooledRequest extends http.RequestOptions, Route {}

/** The keep-alive of the private path, in milliseconds. Node gives idle sockets up earlier if the target says so. */
const KEEP_ALIVE = 30_000;

const dialTlsThen = callbackify(dialTls);

/** Of each connection, the target's address. */
const addresses = new WeakMap<Duplex, string>();

class Pool extends http.Agent {
  override getName(options?: http.ClientRequestArgs): string {
    return nameOf(options as PooledRequest);
  }

  override createConnection(
    options: http.ClientRequestArgs,
    callback: (error: Error | null, socket: Duplex) => void,
  ): Duplex | undefined {
    const { target, limits, terms } = options as PooledRequest;
    makeRoom(target, limits);
    if (terms === undefined) {
      const socket = dial(target, { limits });
      addresses.set(socket, addressOf(target));
      return socket;
    }
    dialTlsThen(target, { terms, limits }, (error, socket) => {
      if (socket) addresses.set(socket, addressOf(target));
      callback(error, socket);
    });
    return undefined;
  }

  override keepSocketAlive(socket: Duplex): void {
    // What comes while nothing was asked must not be taken for the answer to what will be; later versions of
    // Node see to that themselves.
    socket.on("data", destroyItself);
    return super.keepSocketAlive(socket);
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    socket.off("data", destroyItself);
    super.reuseSocket(socket, request);
  }
}

const pool = new Pool({ keepAlive: true, timeout: KEEP_ALIVE });

/** Over a kept connection if there is one, else over a new one that is kept afterwards. */
export function requestThroughPool(options: PooledRequest): http.ClientRequest {
  // One that the target has ended is on Node's list until it is closed.
  drop(pool.freeSockets[nameOf(options)], (socket) => socket.destroyed || socket.readableEnded || !socket.writable);
  return http.request({ ...options, agent: pool });
}

export function hasKept(route: Route): boolean {
  return pool.freeSockets[nameOf(route)]?.some((socket) => !socket.destroyed) ?? false;
}

/** Closes the kept connections that a request could go over: where one is stale, the others may be, too. */
export function dropKept(route: Route): void {
  drop(pool.freeSockets[nameOf(route)], () => true);
}

/** Closes kept connections to a target as far as they and those in use are more than the limit. */
export function makeRoom(target: DialTarget, { connectionLimit }: EgressLimits): void {
  if (connectionLimit === undefined) return;
  const address = addressOf(target);
  const isKept = (socket: Socket): boolean => addresses.get(socket) === address && !socket.destroyed;
  const lists = Object.values(pool.freeSockets);
  const kept = lists.reduce((sum, list) => sum + (list?.filter(isKept).length ?? 0), 0);
  let surplus = countInUse(target) + kept - connectionLimit;
  for (const list of lists) drop(list, (socket) => isKept(socket) && surplus-- > 0);
}

function nameOf({ target, terms }: Route): string {
  return terms?.key ?? JSON.stringify(target);
}

/** Takes them off the agent's list at once, which it does itself only when a connection has closed. */
function drop(kept: Socket[] | undefined, isUnwanted: (socket: Socket) => boolean): void {
  for (const socket of kept?.filter(isUnwanted) ?? []) {
    kept?.splice(kept.indexOf(socket), 1);
    socket.destroy();
  }
}

function destroyItself(this: Duplex): void {
  this.destroy();
}
