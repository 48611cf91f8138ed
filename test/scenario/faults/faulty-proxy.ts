/** A TCP proxy with faults on its connections, and a client that is connected through it. */

import { once } from "node:events";
import net from "node:net";

import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import { type PipeOptions, pipeWithFaults } from "../../../plugin/scenario/faults/fault-pipe.ts";
import { createRandom } from "../../../plugin/scenario/faults/random.ts";
import { startTcpServer } from "../../servers/tcp-server.ts";
import { type SettableFaults, settableFaults } from "./settable-faults.ts";

export interface FaultyConnection extends AsyncDisposable {
  client: net.Socket;
  live: SettableFaults;
  /** What the client received, one character an octet. */
  readonly received: string;
  /** How it ended for the client: `end`, or the code of its error. */
  readonly ended: string | undefined;
  /** What `onBreak` was told. */
  broken: string[];
  /** Bytes that the proxy has received from the origin. */
  readonly taken: number;
  /** The proxy's sockets that are open. */
  readonly open: number;
}

/** @param dial to the origin; default: plain, to this port of `127.0.0.1` */
export async function connectThroughFaults(
  port: number,
  faults: Fault[] = [],
  dial: (port: number) => Promise<net.Socket> = dialPlain,
): Promise<FaultyConnection> {
  const live = settableFaults(faults);
  const broken: string[] = [];
  const sockets = new Set<net.Socket>();
  let origin: net.Socket | undefined;
  const join = async (inner: net.Socket): Promise<void> => {
    origin = await dial(port);
    for (const socket of [inner, origin]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
    const options: PipeOptions = {
      live,
      random: createRandom(1),
      onBreak: ({ code, detail }, how) => void broken.push(`${how} ${code}: ${detail}`),
    };
    pipeWithFaults(inner, origin, { ...options, stream: "upstream" });
    pipeWithFaults(origin, inner, { ...options, stream: "downstream" });
  };
  const proxy = await startTcpServer((inner) => void join(inner), { allowHalfOpen: true });
  const client = net.connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let ended: string | undefined;
  client.on("data", (chunk) => chunks.push(chunk));
  client.once("end", () => (ended ??= "end"));
  client.once("error", (error: NodeJS.ErrnoException) => (ended ??= error.code));
  await once(client, "connect");
  return {
    client,
    live,
    broken,
    get received() {
      return Buffer.concat(chunks).toString("latin1");
    },
    get ended() {
      return ended;
    },
    get taken() {
      return origin?.bytesRead ?? 0;
    },
    get open() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await proxy[Symbol.asyncDispose]();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function dialPlain(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}
