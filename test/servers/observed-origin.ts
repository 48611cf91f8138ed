/**
 * An HTTP/1.1 origin that keeps every request apart by connection and may answer before a request is
 * complete, badly, or not at all: octet for octet as told.
 */

import type net from "node:net";
import { type ReceivedRequest, createRequestReader } from "./request-reader.ts";
import { type TestServer, startTcpServer } from "./tcp-server.ts";

/** One request, from its head on. */
export interface Exchange {
  request: ReceivedRequest;
  /** Resolves when the request is complete, body and all. */
  ended: Promise<void>;
  socket: net.Socket;
  /** From 1, over all connections. */
  ordinal: number;
  /** One character an octet. */
  send: (text: string) => void;
  /** Keeps what the requests don't tell: that the connection closed, what came over a WebSocket. */
  note: (text: string) => void;
  /** What follows on this connection are no further requests. */
  takeOver: () => void;
}

/** A whole answer to each complete request, or what to do once a request's head is there. */
export type Answer = string | ((exchange: Exchange) => unknown);

export interface Observation {
  /** `connection` counts from 1. */
  requests: (ReceivedRequest & { connection: number })[];
  notes: string[];
}

export interface ObservedOrigin extends TestServer {
  /** Filled in as it comes. */
  observation: Observation;
}

export async function startObservedOrigin(answer: Answer): Promise<ObservedOrigin> {
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
  });
  return Object.assign(server, { observation });
}
