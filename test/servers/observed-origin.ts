/**
 * An HTTP/1.1 origin that records requests with the number of their connection. It may answer early, with invalid bytes,
 * or not at all. With TLS it answers `GATE` itself, which it doesn't record.
 */

import type net from "node:net";
import { ok } from "./http-origin.ts";
import { type SecureSide, secureServerSide } from "./secure-side.ts";
import type { Certified } from "./tls-certificates.ts";
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
  /** Whether workerd's own client has asked for `GATE` over TLS. */
  readonly isNative: boolean;
}

/** A path for a request that only brings the host to workerd's own client. */
export const GATE = "/gate";

export async function startObservedOrigin(
  answer: Answer,
  { certified, ...at }: TcpServerOptions & { certified?: Certified | undefined } = {},
): Promise<ObservedOrigin> {
  const observation: Observation = { requests: [], notes: [] };
  let connections = 0;
  let isNative = false;
  const server = await startTcpServer((raw) => {
    let connection = 0;
    const secure: SecureSide | undefined = certified && secureServerSide(raw, certified);
    const socket = secure ?? raw;
    const ends = new Map<ReceivedRequest, () => void>();
    const read = createRequestReader({
      onHead(request) {
        if (secure !== undefined && request.head.startsWith(`GET ${GATE} `)) {
          isNative ||= secure.alpnProtocol === false;
          socket.end(ok("").replace("\r\n", "\r\nConnection: close\r\n"));
          return;
        }
        connection ||= ++connections;
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
  return Object.defineProperty(Object.assign(server, { observation, isNative }), "isNative", { get: () => isNative });
}
