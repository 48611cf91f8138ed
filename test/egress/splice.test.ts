import { once } from "node:events";

import { expect, test } from "vitest";

import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { type RawConnection, openRaw, orderLines, tcpTo } from "./ask.ts";

const ESTABLISHED = "HTTP/1.1 200 OK\r\n\r\n";

/** Sends a CONNECT, with `first` in the same write. */
async function sendConnect(port: number, { first = "" } = {}): Promise<RawConnection> {
  const connection = await openRaw();
  const order = await orderLines(tcpTo(port));
  connection.socket.write(`CONNECT egress:1 HTTP/1.1\r\nHost: egress:1\r\n${order}\r\n${first}`);
  return connection;
}

test("bytes of any value pass both ways, even those sent with the CONNECT", async () => {
  await using target = await startTcpServer(echo);
  await using connection = await sendConnect(target.port, { first: "first" });
  await expect.poll(() => connection.received).toBe(`${ESTABLISHED}first`);
  connection.socket.write("\u0000\u00ff\r\n\r\n", "latin1");
  await expect.poll(() => connection.received).toBe(`${ESTABLISHED}first\u0000\u00ff\r\n\r\n`);
});

test("half-close: the target sees the end and can still answer", async () => {
  await using target = await startTcpServer(
    (socket) => {
      let received = "";
      socket.on("data", (chunk) => (received += chunk.toString()));
      socket.on("end", () => socket.end(`got ${received}`));
    },
    { allowHalfOpen: true },
  );
  await using connection = await sendConnect(target.port);
  connection.socket.end("PING\r\n");
  await expect.poll(() => connection.isEnded).toBe(true);
  expect(connection.received).toBe(`${ESTABLISHED}got PING\r\n`);
  await expect.poll(() => target.open.size).toBe(0);
});

test("half-close by the target: it can still read", async () => {
  let received = "";
  await using target = await startTcpServer(
    (socket) => {
      socket.end("bye");
      socket.on("data", (chunk) => (received += chunk.toString()));
    },
    { allowHalfOpen: true },
  );
  await using connection = await sendConnect(target.port);
  await expect.poll(() => connection.isEnded).toBe(true);
  connection.socket.end("still here");
  await expect.poll(() => received).toBe("still here");
  await expect.poll(() => target.open.size).toBe(0);
});

test("a slow reader pauses the sender; 64 MiB arrive complete", async () => {
  const size = 64 * 1024 * 1024;
  let sent = 0;
  await using target = await startTcpServer((socket) => {
    const block = Buffer.alloc(64 * 1024);
    const fill = (): void => {
      while (sent < size) {
        sent += block.length;
        if (!socket.write(block)) return;
      }
      socket.end();
    };
    socket.on("drain", fill);
    fill();
  });
  await using connection = await sendConnect(target.port);
  await once(connection.socket, "data");
  connection.socket.pause();
  let before = -1;
  await expect.poll(() => sent === before || ((before = sent), false), { interval: 200 }).toBe(true);
  expect(sent).toBeLessThan(size / 2);
  connection.socket.resume();
  await expect.poll(() => connection.isEnded, { timeout: 20_000 }).toBe(true);
  expect(connection.received.length).toBe(ESTABLISHED.length + size);
});

test("the answer of a target that closes during a write arrives complete", async () => {
  await using target = await startTcpServer((socket) => {
    socket.once("data", () => {
      socket.write("-ERR too many connections\r\n");
      socket.destroySoon();
    });
  });
  for (let round = 0; round < 20; round++) {
    await using connection = await sendConnect(target.port);
    const pushing = setInterval(
      () => connection.socket.writable && connection.socket.write(Buffer.alloc(64 * 1024)),
      0,
    );
    await expect.poll(() => connection.isEnded, { interval: 5 }).toBe(true);
    clearInterval(pushing);
    expect(connection.received).toBe(`${ESTABLISHED}-ERR too many connections\r\n`);
  }
});

test("a reset of the target ends the connection", async () => {
  await using target = await startTcpServer((socket) => void socket.once("data", () => socket.resetAndDestroy()));
  await using connection = await sendConnect(target.port, { first: "x" });
  await expect.poll(() => connection.isEnded).toBe(true);
  await expect.poll(() => connection.received).toBe(ESTABLISHED);
});

test("the target's connection closes when the Worker's does", async () => {
  await using target = await startTcpServer(undefined, { allowHalfOpen: true });
  await using connection = await sendConnect(target.port);
  await expect.poll(() => connection.received).toBe(ESTABLISHED);
  await expect.poll(() => target.open.size).toBe(1);
  connection.socket.destroy();
  const [socket] = target.open;
  socket?.end();
  await expect.poll(() => target.open.size).toBe(0);
});

test("200 connections at once", async () => {
  await using target = await startTcpServer(echo);
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      await using connection = await sendConnect(target.port, { first: `hello ${index}` });
      await expect.poll(() => connection.received, { timeout: 10_000 }).toBe(`${ESTABLISHED}hello ${index}`);
    }),
  );
  await expect.poll(() => target.open.size).toBe(0);
});
