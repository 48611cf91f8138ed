/**
 * Keeps connections to targets, plain and TLS, for reuse. Connections with the same key are interchangeable. How many are kept
 * is bounded by a target's `connectionLimit` (`makeRoom`), by `toReplace`, and by Node's agent.
 */

import http from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { callbackify } from "node:util";

import type { EgressLimits } from "../../../service-worker/routing/egress-protocol.ts";
import { addressOf, countInUse } from "./connection-count.ts";
import { type DialTarget, type DialWatch, dial } from "./dial.ts";
import { distrust, mayReuse, noteClosed, noteDropped, noteKept, noteUsed, toReplace } from "./reuse.ts";
import { type TlsTerms, dialTls } from "../tls/tls.ts";

/** What decides which connection a request goes over. */
export interface ConnectionSpec {
  target: DialTarget;
  limits: EgressLimits;
  /** Absent: plain HTTP. */
  terms: TlsTerms | undefined;
}

export interface PooledRequest extends http.RequestOptions, ConnectionSpec {
  /** Cancels the connection that is being opened for the request, because Node's `destroy` would wait for it. Not `signal`, which Node handles itself. */
  givenUp: AbortSignal;
  mayRepeat: boolean;
  /** Hears of a new connection. */
  watch?: DialWatch | undefined;
}

/** The keep-alive of the private path, in milliseconds. Node closes an idle socket earlier if the target asks for it. */
const KEEP_ALIVE = 30_000;

const dialTlsThen = callbackify(dialTls);

/** The target's address of each connection. */
const addresses = new WeakMap<Duplex, string>();

class Pool extends http.Agent {
  override getName(options?: http.ClientRequestArgs): string {
    return keyOf(options as PooledRequest);
  }

  override createConnection(
    options: http.ClientRequestArgs,
    callback: (error: Error | null, socket: Duplex) => void,
  ): Duplex | undefined {
    const { target, limits, terms, givenUp, watch } = options as PooledRequest;
    makeRoom(target, limits);
    const begin = (socket: Duplex): void => {
      addresses.set(socket, addressOf(target));
      noteUsed(socket);
      socket.once("close", () => noteClosed(socket, keyOf({ target, limits, terms })));
    };
    if (terms === undefined) {
      const socket = dial(target, { limits, watch });
      begin(socket);
      return socket;
    }
    dialTlsThen(target, { terms, limits, signal: givenUp, watch }, (error, socket) => {
      if (socket) begin(socket);
      callback(error, socket);
    });
    return undefined;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // Bytes that arrive before a request must not become the answer to the next one. Later versions of Node
    // check this themselves.
    socket.on("data", destroyItself);
    // It returns a boolean, although its type doesn't say so.
    const isKept = Boolean(super.keepSocketAlive(socket));
    if (isKept) noteKept(socket);
    return isKept;
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    socket.off("data", destroyItself);
    noteUsed(socket);
    super.reuseSocket(socket, request);
  }
}

const pool = new Pool({ keepAlive: true, timeout: KEEP_ALIVE });

/**
 * Uses a kept connection if there is one, otherwise a new one, which is kept afterwards.
 *
 * @param options `mayRepeat`: the request can be sent again if the kept connection turns out to be closed
 */
export function requestThroughPool(options: PooledRequest): http.ClientRequest {
  const key = keyOf(options);
  // Node lists a connection that the target has ended until it is closed.
  drop(pool.freeSockets[key], (socket) => socket.destroyed || socket.readableEnded || !socket.writable);
  const freeSockets: NodeJS.Dict<Socket[]> = pool.freeSockets;
  const kept = freeSockets[key];
  if (options.mayRepeat || kept === undefined || mayReuse(kept, key)) {
    return http.request({ ...options, agent: pool });
  }
  const replaced = toReplace(kept);
  drop(kept, (socket) => socket === replaced);
  makeRoom(options.target, options.limits);
  // Hidden from the agent for this call, so that it opens a new connection.
  delete freeSockets[key];
  try {
    return http.request({ ...options, agent: pool });
  } finally {
    if (kept.length > 0) freeSockets[key] = kept;
  }
}

export function hasKept(spec: ConnectionSpec): boolean {
  return pool.freeSockets[keyOf(spec)]?.some((socket) => !socket.destroyed) ?? false;
}

/** Call it when a request that may not be repeated was lost because its kept connection was closed. */
export function distrustKept(spec: ConnectionSpec): void {
  distrust(keyOf(spec));
}

/** Closes the kept connections with the same key, because if one is stale, the others may be too. */
export function dropKept(spec: ConnectionSpec): void {
  drop(pool.freeSockets[keyOf(spec)], () => true);
}

/** Closes kept connections to a target until they and those in use are within the limit. */
export function makeRoom(target: DialTarget, { connectionLimit }: EgressLimits): void {
  if (connectionLimit === undefined) return;
  const address = addressOf(target);
  const isKept = (socket: Socket): boolean => addresses.get(socket) === address && !socket.destroyed;
  const lists = Object.values(pool.freeSockets);
  const kept = lists.reduce((sum, list) => sum + (list?.filter(isKept).length ?? 0), 0);
  let surplus = countInUse(target) + kept - connectionLimit;
  for (const list of lists) drop(list, (socket) => isKept(socket) && surplus-- > 0);
}

function keyOf({ target, terms }: ConnectionSpec): string {
  return terms?.key ?? JSON.stringify(target);
}

/** Takes them off the agent's list at once. The agent itself does so only after a connection has closed. */
function drop(kept: Socket[] | undefined, isUnwanted: (socket: Socket) => boolean): void {
  for (const socket of kept?.filter(isUnwanted) ?? []) {
    kept?.splice(kept.indexOf(socket), 1);
    if (!socket.readableEnded && !socket.destroyed) noteDropped(socket);
    socket.destroy();
  }
}

function destroyItself(this: Duplex): void {
  this.destroy();
}
