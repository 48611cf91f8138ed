/**
 * TCP servers on loopback that can behave well or badly. `await using` closes them and their connections.
 */

import { once } from "node:events";
import net from "node:net";
import { Worker } from "node:worker_threads";

export interface TestServer extends AsyncDisposable {
  /** A port of the given host, which is `127.0.0.1` by default. 0 for a unix socket. */
  port: number;
  /** Connections that are open now. */
  open: ReadonlySet<net.Socket>;
  /** Connections accepted so far. */
  readonly accepted: number;
}

export interface TcpServerOptions extends net.ListenOptions {
  /** Default: false, so a connection closes when the other side ends. */
  allowHalfOpen?: boolean;
}

/**
 * @param serve called with each connection. Errors of the connection are handled. Default: the server accepts and stays silent
 * @param options where to listen. Default: `127.0.0.1` on a free port
 */
export async function startTcpServer(
  serve: (socket: net.Socket) => void = (socket) => void socket.resume(),
  { allowHalfOpen = false, ...at }: TcpServerOptions = {},
): Promise<TestServer> {
  const open = new Set<net.Socket>();
  let accepted = 0;
  const server = net.createServer({ allowHalfOpen }, (socket) => {
    accepted++;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    serve(socket);
  });
  server.listen(at.path === undefined ? { host: "127.0.0.1", port: 0, ...at } : at);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    open,
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** For `startTcpServer`: sends everything back, including the end. */
export function echo(socket: net.Socket): void {
  socket.pipe(socket);
}

/** For `startTcpServer`: resets the connection when the first bytes arrive. */
export function reset(socket: net.Socket): void {
  socket.once("data", () => socket.resetAndDestroy());
}

/** @returns a port of `127.0.0.1` that refuses connections, because it was free a moment ago */
export async function closedPort(): Promise<number> {
  await using server = await startTcpServer();
  return server.port;
}

/** A port of `127.0.0.1` that never answers a connection attempt, because its queue is full and nobody accepts. */
export async function startDeafServer(): Promise<AsyncDisposable & { port: number }> {
  const worker = new Worker(
    `const { parentPort } = require("node:worker_threads");
     const server = require("node:net").createServer();
     server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const [port] = (await once(worker, "message")) as [number];
  const queue: net.Socket[] = [];
  // Connections succeed until the queue is full.
  for (let isFull = false; !isFull;) {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => socket.destroy());
    queue.push(socket);
    isFull = await Promise.race([
      once(socket, "connect").then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 200, true)),
    ]);
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of queue) socket.destroy();
      await worker.terminate();
    },
  };
}
