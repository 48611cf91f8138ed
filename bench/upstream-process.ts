/**
 * The private services that the benchmarks call, in a separate process: HTTP, HTTPS, raw TCP and PostgreSQL, on
 * loopback. Sends their ports to its parent and ends with it. Started by upstream.ts.
 */

import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import net, { type AddressInfo, type Socket } from "node:net";
import { startPostgres } from "../fixtures/private-services/postgres.ts";
import { makeAuthority } from "../test/servers/tls-certificates.ts";
import type { BenchUpstream } from "./upstream.ts";

/**
 * With only one port, the kernel spends most of a connection's time searching for a local port that isn't in TIME_WAIT:
 * seconds are enough to use up all 28 000.
 */
const TCP_PORTS = 32;

const ANSWER = JSON.stringify({ id: 1, name: "Ada", city: "London" });
const PIECE = Buffer.alloc(256 * 1024, 1);

/** `GET /`: a small answer; `GET /chunked`: the same without a length; `GET /BYTES`: that many bytes; `PUT /`: reads the body and answers with its length. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === "PUT") {
    let length = 0;
    request.on("data", (chunk: Buffer) => (length += chunk.length));
    request.on("end", () => response.end(String(length)));
    return;
  }
  const bytes = Number(request.url?.slice(1));
  if (bytes > 0) {
    response.writeHead(200, { "content-length": bytes });
    send(response, bytes);
    return;
  }
  const headers = { "content-type": "application/json" };
  if (request.url === "/chunked") {
    response.writeHead(200, headers).write(ANSWER);
    response.end();
    return;
  }
  response.writeHead(200, { ...headers, "content-length": ANSWER.length }).end(ANSWER);
}

/** `e`: echoes what follows. `d` and a length: sends that many bytes. `u` and a length: reads that many, then answers with one byte. */
function converse(socket: Socket): void {
  socket.setNoDelay();
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  socket.once("data", (first: Buffer) => {
    const length = first.length >= 5 ? first.readUInt32BE(1) : 0;
    switch (String.fromCharCode(first[0] ?? 0)) {
      case "e":
        socket.write(first.subarray(1));
        socket.pipe(socket);
        break;
      case "d":
        send(socket, length);
        break;
      case "u": {
        let missing = length - (first.length - 5);
        socket.on("data", (chunk) => {
          missing -= chunk.length;
          if (missing === 0) socket.end("k");
        });
        break;
      }
    }
  });
}

function send(stream: NodeJS.WritableStream, bytes: number): void {
  let missing = bytes;
  const next = (): void => {
    while (missing > 0) {
      const piece = PIECE.subarray(0, Math.min(missing, PIECE.length));
      missing -= piece.length;
      if (!stream.write(piece)) return void stream.once("drain", next);
    }
    stream.end();
  };
  next();
}

async function listen(server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const authority = makeAuthority("miniflare-vpc benchmarks");
const own = authority.issue("api.internal", { names: ["api.internal", "*.late.internal"] });
const postgres = await startPostgres(0);
const upstream: BenchUpstream = {
  http: await listen(http.createServer({ keepAliveTimeout: 60_000 }, answer)),
  https: await listen(https.createServer({ ...own, keepAliveTimeout: 60_000 }, answer)),
  tcp: await Promise.all(
    Array.from({ length: TCP_PORTS }, () => listen(net.createServer({ allowHalfOpen: true }, converse))),
  ),
  postgres: postgres.port,
  ca: authority.cert,
};
process.send?.(upstream);
process.once("disconnect", () => process.exit());
