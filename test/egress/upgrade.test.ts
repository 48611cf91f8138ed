import { once } from "node:events";

import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { egressProxy } from "../../plugin/egress/server.ts";
import { ORDER_HEADER, SECRET_HEADER } from "../../service-worker/egress-protocol.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort, startTcpServer } from "../servers/tcp-server.ts";
import { ask, httpTo, openRaw, orderLines } from "./ask.ts";

const UPGRADE = { Connection: "Upgrade", Upgrade: "websocket" };

async function openWebSocket(port: number): Promise<WebSocket> {
  const { address, secret } = await egressProxy();
  const headers = { [SECRET_HEADER]: secret, [ORDER_HEADER]: JSON.stringify(httpTo(port)) };
  return new WebSocket(address.replace(/^unix:(.*)$/, "ws+unix:$1:/chat"), { headers });
}

test("a WebSocket, 16 MiB both ways, with its close code", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  server.on("connection", (socket, request) => {
    socket.send(request.url ?? "");
    socket.on("message", (data) => socket.send(data));
    socket.on("close", (code) => server.emit("gone", code));
  });
  const socket = await openWebSocket((server.address() as { port: number }).port);
  expect(String((await once(socket, "message"))[0])).toBe("/chat");
  const big = Buffer.alloc(16 * 1024 * 1024, "m");
  socket.send(big);
  const [echoed] = (await once(socket, "message")) as [Buffer];
  expect(echoed.equals(big)).toBe(true);
  const gone = once(server, "gone");
  socket.close(4321);
  expect(await gone).toEqual([4321]);
  server.close();
});

test("heads pass as they are, and bytes that follow them at once", async () => {
  const accepted = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nUpgrade: x\r\nX-L: \u00e9\r\n\r\n";
  await using origin = await startHttpOrigin((_, socket) => {
    socket.write(`${accepted}early`, "latin1");
    return undefined;
  });
  await using connection = await openRaw();
  const rest = "Host: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
  connection.socket.write(`GET /up HTTP/1.1\r\n${await orderLines(httpTo(origin.port))}${rest}GET / HTTP/1.1\r\n\r\n`);
  await expect.poll(() => connection.received).toBe(`${accepted}early${accepted}early`);
  expect(origin.requests).toEqual([`GET /up HTTP/1.1\r\n${rest}`, "GET / HTTP/1.1\r\n\r\n"]);
  connection.socket.destroy();
  await expect.poll(() => origin.open.size).toBe(0);
});

test("a kept connection that the target has given up is replaced for an upgrade, too", async () => {
  const accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
  await using origin = await startHttpOrigin((request, socket) => {
    if (!/upgrade/i.test(request)) return ok("kept");
    if (origin.accepted === 1) socket.destroy();
    else socket.once("data", () => socket.write("heard")).write(accepted);
    return undefined;
  });
  await ask({ order: httpTo(origin.port) });
  await using connection = await openRaw();
  const order = await orderLines(httpTo(origin.port));
  connection.socket.write(`GET / HTTP/1.1\r\n${order}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  await expect.poll(() => connection.received).toBe(accepted);
  connection.socket.write("after");
  await expect.poll(() => connection.received).toBe(`${accepted}heard`);
});

test("half-close passes through an upgraded connection", async () => {
  await using origin = await startTcpServer(
    (socket) => {
      socket.once("data", () =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
      );
      socket.on("end", () => socket.end("after the end"));
    },
    { allowHalfOpen: true },
  );
  await using connection = await openRaw();
  const order = await orderLines(httpTo(origin.port));
  connection.socket.write(`GET / HTTP/1.1\r\n${order}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  await expect.poll(() => connection.received).toContain("101 Switching");
  connection.socket.end();
  await expect.poll(() => connection.isEnded).toBe(true);
  expect(connection.received).toContain("after the end");
});

test("a refused upgrade is a normal response, however long", async () => {
  const body = "no".repeat(2_000_000);
  await using origin = await startHttpOrigin(ok(body));
  const answer = await ask({ order: httpTo(origin.port), headers: UPGRADE });
  expect(answer).toMatchObject({ status: 200, headers: { connection: "close" }, failure: undefined });
  expect(answer.body).toBe(body);
});

test("an upgrade at a target that can't be reached is a failure like any other", async () => {
  const answer = await ask({ order: httpTo(await closedPort()), headers: UPGRADE });
  expect(answer).toMatchObject({ status: 502, failure: { code: "connection_refused" } });
});

test("giving up before there is an answer lets go of the target", async () => {
  await using origin = await startTcpServer();
  const connection = await openRaw();
  const order = await orderLines(httpTo(origin.port));
  connection.socket.write(`GET / HTTP/1.1\r\n${order}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  await expect.poll(() => origin.open.size).toBe(1);
  connection.socket.destroy();
  await expect.poll(() => origin.open.size).toBe(0);
});
