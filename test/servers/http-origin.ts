/**
 * An HTTP/1.1 origin that records the bytes it receives and sends given bytes. Not a web server: it only finds the end of
 * a request.
 */

import type net from "node:net";

import { type TcpServerOptions, type TestServer, startTcpServer } from "./tcp-server.ts";

export interface HttpOrigin extends TestServer {
  /** Each complete request with head and body, one character per byte. */
  requests: readonly string[];
}

/** Bytes as characters, or a function that returns them or writes to the socket itself. */
export type OriginAnswer = string | ((request: string, socket: net.Socket) => string | undefined);

/** @param answer the response to each complete request. The connection stays open */
export async function startHttpOrigin(answer: OriginAnswer, at?: TcpServerOptions): Promise<HttpOrigin> {
  const requests: string[] = [];
  const server = await startTcpServer((socket) => serveHttp(socket, { answer, requests }), at);
  return Object.assign(server, { requests });
}

/** Answers "in time", and closes a connection after `idle` milliseconds without announcing that in a field. */
export function startForgetfulOrigin(idle: number): Promise<HttpOrigin> {
  const timers = new Map<net.Socket, NodeJS.Timeout>();
  return startHttpOrigin((_, socket) => {
    clearTimeout(timers.get(socket));
    timers.set(
      socket,
      setTimeout(() => socket.destroy(), idle),
    );
    return ok("in time");
  });
}

/** Answers each complete request on a connection, and adds it to `requests`. */
export function serveHttp(
  socket: net.Socket,
  { answer, requests }: { answer: OriginAnswer; requests: string[] },
): void {
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
    for (let end = requestEnd(received); end !== undefined; end = requestEnd(received)) {
      const request = received.slice(0, end);
      received = received.slice(end);
      requests.push(request);
      const text = typeof answer === "string" ? answer : answer(request, socket);
      if (text !== undefined) socket.write(text, "latin1");
    }
  });
}

/** A complete 200 response with this body. */
export function ok(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body, "latin1")}\r\n\r\n${body}`;
}

/** RFC 9112 §6. @returns the length of the first request, if it is complete */
function requestEnd(received: string): number | undefined {
  const headEnd = received.indexOf("\r\n\r\n") + 4;
  if (headEnd === 3) return undefined;
  const head = received.slice(0, headEnd);
  if (/^transfer-encoding: *chunked/im.test(head)) {
    const lastChunk = /(^|\r\n)0\r\n(.+\r\n)*\r\n/.exec(received.slice(headEnd));
    return lastChunk === null ? undefined : headEnd + lastChunk.index + lastChunk[0].length;
  }
  const end = headEnd + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return received.length < end ? undefined : end;
}
