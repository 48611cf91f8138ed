import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";

import { expect, test } from "vitest";

import type { EgressTls } from "../../service-worker/routing/egress-protocol.ts";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, reset, startTcpServer } from "../servers/tcp-server.ts";
import { type RawConnection, ask, httpTo, openRaw, openRequest, orderLines, readAnswer, tcpTo } from "./ask.ts";

/** Answers `/hold` when `release` is called. */
async function startHolding(): Promise<HttpOrigin & { release(): void }> {
  const origin = await startHttpOrigin((request) => (request.includes(" /hold ") ? undefined : ok("done")));
  return Object.assign(origin, {
    release: () => {
      for (const socket of origin.open) socket.write(ok("held"));
    },
  });
}

async function hold(port: number, connectionLimit: number, tls?: EgressTls): Promise<ClientRequest> {
  const order = { ...httpTo(port, { connectionLimit }), ...(tls && { tls }) };
  const request = await openRequest({ order, path: "/hold" });
  request.on("error", () => request.destroy());
  request.end();
  return request;
}

async function sendConnect(port: number, connectionLimit: number): Promise<RawConnection> {
  const connection = await openRaw();
  connection.socket.write(`CONNECT a:1 HTTP/1.1\r\n${await orderLines(tcpTo(port, { connectionLimit }))}\r\n`);
  await expect.poll(() => connection.received).toContain("\r\n\r\n");
  return connection;
}

test("a request over the limit is refused at once; the next one succeeds", async () => {
  await using origin = await startHolding();
  const held = [await hold(origin.port, 2), await hold(origin.port, 2)];
  const responses = held.map(async (request) => {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return (await readAnswer(response)).body;
  });
  await expect.poll(() => origin.requests.length).toBe(2);
  const order = httpTo(origin.port, { connectionLimit: 2 });
  const refused = await ask({ order });
  expect(refused).toMatchObject({
    status: 502,
    failure: {
      code: "connection_limit_reached",
      detail: `2 connections are in use to 127.0.0.1 port ${origin.port}, and "connectionLimit" is 2`,
    },
  });
  expect(origin.requests.length).toBe(2);
  origin.release();
  expect(await Promise.all(responses)).toEqual(["held", "held"]);
  expect((await ask({ order })).body).toBe("done");
  expect(origin.accepted).toBe(2);
});

test("requests without a limit count towards the limit of others", async () => {
  await using origin = await startHolding();
  const request = await openRequest({ order: httpTo(origin.port), path: "/hold" });
  request.on("error", () => request.destroy());
  request.end();
  await expect.poll(() => origin.requests.length).toBe(1);
  expect((await ask({ order: httpTo(origin.port, { connectionLimit: 1 }) })).failure?.code).toBe(
    "connection_limit_reached",
  );
  expect((await ask({ order: httpTo(origin.port) })).body).toBe("done");
  request.destroy();
});

test("spliced, upgraded and plain connections count together until they end", async () => {
  await using target = await startTcpServer((socket) => {
    socket.on("data", (chunk) => {
      if (chunk.includes("Upgrade")) {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
      } else socket.write(chunk.includes("HTTP") ? ok("done") : chunk);
    });
  });
  const limits = { connectionLimit: 2 };
  await using spliced = await sendConnect(target.port, 2);
  expect(spliced.received).toContain(" 200 ");
  await using upgraded = await openRaw();
  const order = await orderLines(httpTo(target.port, limits));
  upgraded.socket.write(`GET / HTTP/1.1\r\n${order}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  await expect.poll(() => upgraded.received).toContain(" 101 ");

  await using refused = await sendConnect(target.port, 2);
  expect(refused.received).toContain("connection_limit_reached");
  expect((await ask({ order: httpTo(target.port, limits) })).failure?.code).toBe("connection_limit_reached");

  spliced.socket.destroy();
  await expect.poll(async () => (await ask({ order: httpTo(target.port, limits) })).body).toBe("done");
  upgraded.socket.destroy();
  await expect.poll(() => target.open.size).toBe(1);
  await using again = await sendConnect(target.port, 1);
  expect(again.received).toContain(" 200 ");
});

test("idle connections do not count, and are closed to make room", async () => {
  await using origin = await startHolding();
  const held = [await hold(origin.port, 3), await hold(origin.port, 3), await hold(origin.port, 3)];
  await expect.poll(() => origin.requests.length).toBe(3);
  origin.release();
  for (const request of held) {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    await readAnswer(response);
  }
  expect(origin.open.size).toBe(3);
  // This request uses one of the three again.
  expect((await ask({ order: httpTo(origin.port, { connectionLimit: 1 }) })).body).toBe("done");
  expect(origin.accepted).toBe(3);
  await using spliced = await sendConnect(origin.port, 2);
  expect(spliced.received).toContain(" 200 ");
  await expect.poll(() => origin.open.size).toBe(2);
  await using other = await sendConnect(origin.port, 2);
  expect(other.received).toContain(" 200 ");
  expect(origin.open.size).toBe(2);
});

test("a request stops counting, however it ends", async () => {
  await using dropping = await startTcpServer(reset);
  await using garbled = await startTcpServer((socket) => void socket.once("data", () => socket.end("garbage\r\n\r\n")));
  await using cut = await startHttpOrigin((_, socket) => {
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
    return undefined;
  });
  await using silent = await startTcpServer();
  await using echoing = await startTcpServer(echo);
  const limits = { connectionLimit: 1 };
  for (let round = 0; round < 3; round++) {
    expect((await ask({ order: httpTo(dropping.port, limits) })).failure?.code).toBe("connection_terminated");
    expect((await ask({ order: httpTo(garbled.port, limits) })).failure?.code).toBe("http_protocol_error");
    await expect(ask({ order: httpTo(cut.port, limits) })).rejects.toThrow(/aborted|hang up/);
    expect((await ask({ order: httpTo(1, limits) })).failure?.code).toBe("connection_refused");
    const tls = { hostName: "a.test", verify: "disabled" as const, ca: [] };
    expect((await ask({ order: { ...httpTo(garbled.port, limits), tls } })).failure?.code).toBe("tls_protocol_error");
    for (const over of [undefined, tls]) {
      const aborted = await hold(silent.port, 1, over);
      await expect.poll(() => silent.open.size).toBe(1);
      aborted.destroy();
      await expect.poll(() => silent.open.size).toBe(0);
    }
    const spliced = await sendConnect(echoing.port, 1);
    expect(spliced.received).toContain(" 200 ");
    spliced.socket.end();
    await expect.poll(() => echoing.open.size).toBe(0);
  }
});

test("a request that is repeated on a new connection counts once", async () => {
  await using origin = await startHttpOrigin((_, socket) => {
    if (origin.requests.length === 2) socket.destroy();
    return ok("done");
  });
  const order = httpTo(origin.port, { connectionLimit: 1 });
  for (let round = 0; round < 3; round++) expect((await ask({ order })).body).toBe("done");
  expect([origin.requests.length, origin.accepted]).toEqual([4, 2]);
});
