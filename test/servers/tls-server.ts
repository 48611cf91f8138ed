/**
 * TLS servers on loopback: an origin that records its requests, as `http-origin.ts` does without TLS, and its handshakes.
 */

import { once } from "node:events";
import type net from "node:net";
import tls from "node:tls";

import { ok, serveHttp } from "./http-origin.ts";
import type { HttpOrigin, OriginAnswer } from "./http-origin.ts";

export interface TlsOrigin extends HttpOrigin {
  /** All completed handshakes, in order. */
  handshakes: readonly Handshake[];
}

export interface Handshake {
  /** Null if the client sent none. */
  serverName: string | null;
  alpn: string | null;
  isResumed: boolean;
}

export interface TlsOriginOptions extends tls.TlsOptions {
  answer?: OriginAnswer;
  /** Replaces HTTP with `answer`. */
  serve?: (socket: tls.TLSSocket) => void;
  port?: number;
  host?: string;
  path?: string;
}

export async function startTlsOrigin({
  answer = "",
  serve,
  port = 0,
  host = "127.0.0.1",
  path,
  ...options
}: TlsOriginOptions): Promise<TlsOrigin> {
  const open = new Set<net.Socket>();
  const requests: string[] = [];
  const handshakes: Handshake[] = [];
  let accepted = 0;
  const server = tls.createServer({ ALPNProtocols: ["http/1.1"], ...options });
  server.on("connection", (socket) => {
    accepted++;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  server.on("secureConnection", (socket) => {
    handshakes.push({
      serverName: socket.servername || null,
      alpn: socket.alpnProtocol || null,
      isResumed: socket.isSessionReused(),
    });
    socket.on("error", () => socket.destroy());
    if (serve) serve(socket);
    else serveHttp(socket, { answer, requests });
  });
  server.listen(path === undefined ? { port, host } : { path });
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    open,
    requests,
    handshakes,
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

/** Asks for a client certificate, and answers with its common name, or "nobody". Accepts any, unless `rejectUnauthorized`. */
export function startMutualOrigin(options: TlsOriginOptions): Promise<TlsOrigin> {
  return startTlsOrigin({ requestCert: true, rejectUnauthorized: false, answer: answerWithName, ...options });
}

function answerWithName(_request: string, socket: net.Socket): string {
  const { subject }: Partial<tls.PeerCertificate> = (socket as tls.TLSSocket).getPeerCertificate();
  return ok(String(subject?.CN ?? "nobody"));
}
