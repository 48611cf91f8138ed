import { once } from "node:events";

import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { egressProxy } from "../../plugin/egress/server.ts";
import { ORDER_HEADER, SECRET_HEADER } from "../../service-worker/routing/egress-protocol.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort, startTcpServer } from "../servers/tcp-server.ts";
import { ask, httpTo, openRaw, orderLines } from "./ask.ts";

const UPGRADE = { Connection: "Upgrade", Upgrade: "websocket" };

async function openWebSocket(port: number): Promise<WebSocket> {
  const { address, secret } = await egressProxy();
  const headers = { [SECRET_HEADER]: secret, [ORDER_HEADER]: JSON.stringify(httpTo(port)) };
  const url = address.startsWith("unix:") ? `ws+${address}:/chat` : `ws://${address}/chat`;
  return new WebSocket(url, { headers });
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

test("heads are forwarded unchanged, with bytes that directly follow them", async () => {
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

test("an upgrade is repeated if the target has closed the kept connection", async () => {
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

test("a refused upgrade is a normal response of any length", async () => {
  const body = "no".repeat(2_000_000);
  await using origin = await startHttpOrigin(ok(body));
  const answer = await ask({ order: httpTo(origin.port), headers: UPGRADE });
  expect(answer).toMatchObject({ status: 200, headers: { connection: "close" }, failure: undefined });
  expect(answer.body).toBe(body);
});

test("an upgrade to an unreachable target fails like any request", async () => {
  const answer = await ask({ order: httpTo(await closedPort()), headers: UPGRADE });
  expect(answer).toMatchObject({ status: 502, failure: { code: "connection_refused" } });
});

test("an abort before the answer closes the target's connection", async () => {
  await using origin = await startTcpServer();
  const connection = await openRaw();
  const order = await orderLines(httpTo(origin.port));
  connection.socket.write(`GET / HTTP/1.1\r\n${order}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  await expect.poll(() => origin.open.size).toBe(1);
  connection.socket.destroy();
  await expect.poll(() => origin.open.size).toBe(0);
});

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
/** The answer to that key in RFC 6455 §1.3. */
const ACCEPT = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\n";

/** @returns the response to a WebSocket request if the target writes `bytes` and, if `isLast`, closes the connection */
async function askWebSocket(bytes: string, { isLast = true } = {}): Promise<string> {
  await using target = await startTcpServer((socket) => {
    socket.once("data", () => void (isLast ? socket.end(bytes) : socket.write(bytes)));
  });
  await using connection = await openRaw();
  const order = await orderLines(httpTo(target.port));
  const head = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n`;
  connection.socket.write(`GET / HTTP/1.1\r\n${order}${head}\r\n`);
  await expect.poll(() => connection.received).toContain("\r\n\r\n");
  return connection.received;
}

test.each([
  ["a correct 101", `${SWITCH}Connection: upgrade\r\nUpgrade: WebSocket\r\n${ACCEPT}\r\n`],
  ["403", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"],
  ["426 with an Upgrade field", "HTTP/1.1 426 Upgrade Required\r\nUpgrade: y\r\nContent-Length: 0\r\n\r\n"],
])("a valid answer is forwarded: %s", async (_, bytes) => {
  const received = await askWebSocket(bytes, { isLast: false });
  expect(received.split("\r\n")[0]).toBe(bytes.split("\r\n")[0]);
  expect(received).not.toContain("x-miniflare-vpc-failure");
});

test.each([
  [
    "no Sec-WebSocket-Accept",
    `${SWITCH}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    'no \\"Sec-WebSocket-Accept\\"',
  ],
  [
    "a Sec-WebSocket-Accept for another key",
    `${SWITCH}Connection: Upgrade\r\nUpgrade: websocket\r\n${ACCEPT.replace("s3p", "S3p")}\r\n`,
    "match the request's key",
  ],
  [
    "another protocol",
    `${SWITCH}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    "its 101 is for h2c; the request was for",
  ],
  ["no protocol", `${SWITCH}X: 1\r\n\r\n`, "names no protocol"],
  ["the end of the connection", "", "it closed the connection instead of answering"],
  ["half a head", `${SWITCH}Upg`, "its answer isn't an HTTP response: the connection closed after 37 bytes"],
  ["garbage", "SSH-2.0-OpenSSH_9.9\r\n", "its answer isn't an HTTP response: Parse Error"],
])("an invalid answer is reported as http_upgrade_failed: %s", async (_, bytes, detail) => {
  const received = await askWebSocket(bytes);
  expect(received).toContain('x-miniflare-vpc-failure: {"code":"http_upgrade_failed"');
  expect(received).toContain(detail);
});

test("a 101 with a control character in its status line is reported as http_upgrade_failed", async () => {
  await using origin = await startHttpOrigin(
    "HTTP/1.1 101 Switch\u0001ing\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
  );
  await using connection = await openRaw();
  const order = await orderLines(httpTo(origin.port));
  connection.socket.write(`GET / HTTP/1.1\r\n${order}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  await expect.poll(() => connection.received).toMatch(/"code":"http_upgrade_failed".*control character/);
  await expect.poll(() => origin.open.size).toBe(0);
});

test.each([
  ["was not requested", {}, "http_protocol_error"],
  ["names no protocol", UPGRADE, "http_upgrade_failed"],
])("the connection of a 101 that %s is not used again", async (_, headers, code) => {
  const answers = ["HTTP/1.1 101 Switching Protocols\r\n\r\n", ok("next")];
  await using origin = await startHttpOrigin(() => answers.shift());
  expect((await ask({ order: httpTo(origin.port), headers })).failure).toMatchObject({ code });
  expect(await ask({ order: httpTo(origin.port) })).toMatchObject({ status: 200, body: "next" });
  expect(origin.accepted).toBe(2);
});
