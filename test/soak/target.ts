/**
 * A private service in a separate process, which chaos.ts kills, stops and restarts. Answers HTTP with its name and a
 * summary of the request, and echoes TCP, at the given ports and unix socket.
 *
 *   node target.ts NAME HTTP_PORT TCP_PORT SOCKET
 */

import { rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";

const [name = "", httpPort, tcpPort, socketPath = ""] = process.argv.slice(2);

const httpConnections = new Set<net.Socket>();
const tcpConnections = new Set<net.Socket>();
let mostTcp = 0;

const server = http.createServer((request, response) => {
  let received = 0;
  request.on("data", (chunk: Buffer) => (received += chunk.length));
  request.on("error", () => response.destroy());
  request.on("end", () => {
    const [, id = "", size = "0"] = (request.url ?? "").split("/");
    const line = `${name} ${id} ${received}\n`;
    const body = line + "x".repeat(Number(size));
    // Some bodies have a Content-Length, some are chunked.
    if (Number(size) % 2 === 0) response.setHeader("Content-Length", body.length);
    response.write(body.slice(0, 10));
    response.end(body.slice(10));
  });
});
server.keepAliveTimeout = 0;
server.on("connection", (socket) => keep(socket, httpConnections));

function echo(socket: net.Socket): void {
  keep(socket, tcpConnections);
  mostTcp = Math.max(mostTcp, tcpConnections.size);
  socket.pipe(socket);
}

function keep(socket: net.Socket, all: Set<net.Socket>): void {
  all.add(socket);
  socket.on("error", () => socket.destroy());
  socket.once("close", () => all.delete(socket));
}

/** Unix sockets have no reset. */
function breakOff(socket: net.Socket): void {
  if (socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

// A killed process leaves its socket.
rmSync(socketPath, { force: true });
const options = { allowHalfOpen: true, backlog: 1024 };
let pending = 3;
const listen = (listener: net.Server, at: net.ListenOptions): void => {
  listener.listen({ backlog: 1024, ...at }, () => {
    pending--;
    if (pending === 0) process.send?.("ready");
  });
};
listen(server, { host: "127.0.0.1", port: Number(httpPort) });
listen(net.createServer(options, echo), { host: "127.0.0.1", port: Number(tcpPort) });
listen(net.createServer(options, echo), { path: socketPath });

process.on("message", (message) => {
  const all = [...httpConnections, ...tcpConnections];
  if (message === "reset") for (const socket of all) breakOff(socket);
  if (message === "close") for (const socket of all) socket.destroy();
  process.send?.({ did: message, mostTcp });
});
process.on("disconnect", () => process.exit());
