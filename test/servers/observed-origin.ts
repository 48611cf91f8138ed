/**
 * An HTTP/1.1 origin that records requests with the number of their connection. It may answer early, with invalid bytes,
 * or not at all.
 */

import type net from "node:net";
import { type ReceivedRequest, createRequestReader } from "./request-reader.ts";
import { type TcpServerOptions, type TestServer, startTcpServer } from "./tcp-server.ts";

/** One request, from its head to its end. */
export interface Exchange {
  request: ReceivedRequest;
  /** Resolves when the request is complete, with its body. */
  ended: Promise<void>;
  socket: net.Socket;
  /** The number of the request over all connections, from 1. */
  ordinal: number;
  /** @param text one character per byte */
  send: (text: string) => void;
  /** Records other events: the end of the connection, messages of a WebSocket. */
  note: (text: string) => void;
  /** Stops reading requests on this connection. */
  takeOver: () => void;
}

/** The response to each complete request, or a function that is called with the head of a request. */
export type Answer = string | ((exchange: Exchange) => unknown);

export interface Observation {
  /** `connection` counts from 1. */
  requests: (ReceivedRequest & { connection: number })[];
  notes: string[];
}

export interface ObservedOrigin extends TestServer {
  /** Grows while the origin runs. */
  observation: Observation;
}

export async function startObservedOrigin(answer: Answer, at?: TcpServerOptions): Promise<ObservedOrigin> {
  const observation: Observation = { requests: [], notes: [] };
  let connections = 0;
  const server = await startTcpServer((socket) => {
    const connection = ++connections;
    const ends = new Map<ReceivedRequest, () => void>();
    const read = createRequestReader({
      onHead(request) {
        const { promise: ended, resolve } = Promise.withResolvers<void>();
        ends.set(request, resolve);
        observation.requests.push(Object.assign(request, { connection }));
        const send = (text: string): void => void socket.write(text, "latin1");
        if (typeof answer === "string") {
          void ended.then(() => send(answer));
          return;
        }
        answer({
          request,
          ended,
          socket,
          ordinal: observation.requests.length,
          send,
          note: (text) => void observation.notes.push(text),
          takeOver: () => void socket.off("data", read),
        });
      },
      onEnd: (request) => ends.get(request)?.(),
    });
    socket.on("data", read);
  }, at);
  return Object.assign(server, { observation });
}
