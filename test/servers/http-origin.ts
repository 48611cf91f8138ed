/**
 * An HTTP/1.1 origin that shows the octets it received and answers octet for octet as told. Not a
 * web server: it knows just enough of framing to tell where a request ends.
 */

import type net from "node:net";

import { type TcpServerOptions, type TestServer, startTcpServer } from "./tcp-server.ts";

export interface HttpOrigin extends TestServer {
  /** Each complete request as it came, head and body, one character an octet. */
  requests: readonly string[];
}

/** Octets as characters; or a function that may write to the socket itself and return nothing. */
export type OriginAnswer = string | ((request: string, socket: net.Socket) => string | undefined);

/** @param answer to each complete request, on a connection that is kept alive */
export async function startHttpOrigin(answer: OriginAnswer, at?: TcpServerOptions): Promise<HttpOrigin> {
  const requests: string[] = [];
  const server = await startTcpServer((socket) => serveHttp(socket, { answer, requests }), at);
  return Object.assign(server, { requests });
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

/** A complete 200 with this body. */
export function ok(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body, "latin1")}\r\n\r\n${body}`;
}

/** RFC 9112 §6. @returns how many characters the first request takes, if it is complete */
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
