/**
 * A Worker's `Socket` in Node: web streams over a stream of Node's. Behaves as in a Worker: a refused connection rejects
 * `await`, `opened` and `closed`, and here also fails the streams with the code. Knows nothing of bindings.
 */

import type { Duplex } from "node:stream";
import { setImmediate, setTimeout } from "node:timers/promises";
import { ignoreUnhandled, makeAwaitable } from "../../service-worker/routing/awaitable.ts";
import { proxyErrorMessage } from "../../service-worker/routing/error-codes.ts";
import type { NodeSocket } from "../egress/node-sockets.ts";

/** https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/ */
export interface ConnectedSocket {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<ArrayBuffer | ArrayBufferView>;
  opened: Promise<{ remoteAddress: string }>;
  closed: Promise<void>;
  secureTransport: "off";
  upgraded: false;
  /** Sends what was written, and closes both halves. Resolves when the socket is closed. */
  close(): Promise<void>;
  startTls(): never;
}

/** Milliseconds that the other end has to take the last bytes of a closed socket. */
const LINGER = 1000;

/** @param opening rejects with the reason if there is no connection */
export function makeSocket(
  opening: Promise<NodeSocket>,
  { remoteAddress, allowHalfOpen }: { remoteAddress: string; allowHalfOpen: boolean },
): ConnectedSocket {
  const opened = opening.then(() => ({ remoteAddress }));
  let isClosed = false;
  const closed = opening.then((end) => whenClosed(end, { isClosed: () => isClosed }));
  ignoreUnhandled(opened, closed);
  const socket: ConnectedSocket = {
    readable: makeReadable(opening, { allowHalfOpen, isClosed: () => isClosed }),
    writable: makeWritable(opening),
    opened,
    closed,
    secureTransport: "off",
    upgraded: false,
    async close() {
      isClosed = true;
      const { duplex, leave } = await opening;
      // What the writable stream has queued comes first.
      await setImmediate();
      leave();
      duplex.end();
      const isSent = duplex.writableFinished || anyOf(duplex, "finish", "close");
      await Promise.race([isSent, setTimeout(LINGER, undefined, { ref: false })]);
      duplex.destroy();
      await closed;
    },
    startTls() {
      throw new TypeError("startTls(): a VPC binding supports plaintext TCP only.");
    },
  };
  return makeAwaitable(socket, opened);
}

interface Closing {
  /** Whether the user has closed the socket. */
  isClosed: () => boolean;
}

/** @throws {Error} if the connection broke */
async function whenClosed({ duplex, isClean }: NodeSocket, { isClosed }: Closing): Promise<void> {
  let isBroken = false;
  duplex.once("error", () => (isBroken = true));
  duplex.once("end", () => {
    if (isClean()) return;
    isBroken = true;
    duplex.destroy();
  });
  await anyOf(duplex, "close");
  if (isBroken && !isClosed()) throw brokenOff();
}

/** Resolves at the first of these events. */
function anyOf(duplex: Duplex, ...events: string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) duplex.off(event, done);
      resolve();
    };
    for (const event of events) duplex.on(event, done);
  });
}

function brokenOff(): Error {
  return new Error(proxyErrorMessage("connection_terminated"));
}

function makeReadable(
  opening: Promise<NodeSocket>,
  { allowHalfOpen, isClosed }: { allowHalfOpen: boolean } & Closing,
): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<Buffer>;
  return new ReadableStream({
    type: "bytes",
    async start() {
      const { duplex } = await opening;
      chunks = duplex.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    },
    async pull(controller) {
      const { duplex, isClean } = await opening;
      const next = await chunks.next().catch(() => undefined);
      // The stream takes the whole buffer, which may be a part of a larger one.
      if (next?.done === false) return controller.enqueue(new Uint8Array(next.value));
      if (!isClosed() && !(next?.done && isClean())) throw brokenOff();
      controller.close();
      controller.byobRequest?.respond(0);
      if (!allowHalfOpen) duplex.end();
    },
    async cancel() {
      const { duplex } = await opening;
      await chunks.return?.();
      duplex.resume();
    },
  });
}

function makeWritable(opening: Promise<NodeSocket>): WritableStream<ArrayBuffer | ArrayBufferView> {
  return new WritableStream({
    async start() {
      await opening;
    },
    async write(chunk) {
      const { duplex } = await opening;
      if (duplex.destroyed || duplex.writableEnded) throw brokenOff();
      if (!duplex.write(toBytes(chunk))) await anyOf(duplex, "drain", "close");
    },
    async close() {
      const { duplex } = await opening;
      duplex.end();
    },
    async abort() {
      const { duplex } = await opening;
      duplex.destroy();
    },
  });
}

/** @throws {TypeError} as in a Worker, whose sockets carry bytes */
function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`a socket takes an ArrayBuffer or a view of one, not ${typeof chunk}`);
}
