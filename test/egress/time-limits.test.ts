import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { describe, expect, test } from "vitest";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, startDeafServer, startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { ask, failureOfExchange, httpTo, openRaw, openRequest, orderLines, readAnswer } from "./ask.ts";

const LIMIT = 200;

/** Simulates the time that the other side takes. */
async function pause(milliseconds: number): Promise<void> {
  await new Promise((done) => setTimeout(done, milliseconds));
}

/** Pauses before it writes each piece. */
async function trickle(pieces: string[], write: (piece: string) => void, gap = LIMIT * 0.6): Promise<void> {
  for (const piece of pieces) {
    await pause(gap);
    write(piece);
  }
}

/** Sends `first` when a request arrives, and nothing else. */
async function startStalling(first: string): Promise<TestServer> {
  return startTcpServer((socket) => void socket.once("data", () => void (first && socket.write(first))));
}

describe("readTimeout", () => {
  test.each([
    ["no bytes", "", `no response within ${LIMIT} ms`],
    ["half a head", "HTTP/1.1 200 OK\r\nX", `nothing more of the response arrived for ${LIMIT} ms`],
    [
      "only an interim response",
      "HTTP/1.1 103 Early Hints\r\n\r\n",
      `nothing more of the response arrived for ${LIMIT} ms`,
    ],
  ])("%s", async (_, first, detail) => {
    await using target = await startStalling(first);
    const started = performance.now();
    const { failure } = await ask({ order: httpTo(target.port, { readTimeout: LIMIT }) });
    expect(failure).toEqual({ code: "connection_read_timeout", detail });
    expect(performance.now() - started).toBeGreaterThan(LIMIT - 5);
    expect(performance.now() - started).toBeLessThan(LIMIT * 4);
    await expect.poll(() => target.open.size).toBe(0);
  });

  test.each(["Content-Length: 100", "Transfer-Encoding: chunked"])(
    "a body that stalls is cut off, and the reason is kept: %s",
    async (framing) => {
      await using target = await startStalling(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n5\r\nbegun\r\n`);
      const exchangeId = `stall ${framing}`;
      const order = { ...httpTo(target.port, { readTimeout: LIMIT }), exchangeId };
      await expect(ask({ order })).rejects.toThrow(/aborted|hang up/);
      expect(await failureOfExchange(exchangeId)).toEqual({
        code: "connection_read_timeout",
        detail: `nothing more of the response arrived for ${LIMIT} ms`,
      });
    },
  );

  test("it applies over TLS", async () => {
    const authority = makeAuthority("Test");
    await using target = await startTlsOrigin({ ...authority.issue("a", { names: ["a.test"] }), serve: () => {} });
    const tls = { hostName: "a.test", verify: "disabled" as const, ca: [] };
    const { failure } = await ask({ order: { ...httpTo(target.port, { readTimeout: LIMIT }), tls } });
    expect(failure?.code).toBe("connection_read_timeout");
  });

  test("a request on a kept connection is not repeated", async () => {
    await using target = await startHttpOrigin(() => (target.requests.length === 1 ? ok("first") : undefined));
    const order = httpTo(target.port, { readTimeout: LIMIT });
    await ask({ order });
    expect((await ask({ order })).failure?.code).toBe("connection_read_timeout");
    expect(target.requests.length).toBe(2);
  });

  test("a response in small pieces may take longer in total", async () => {
    await using target = await startTcpServer((socket) => {
      const pieces = [
        "HTTP/1.1 103 Early",
        " Hints\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-",
        "Length: 3\r\n\r\n",
        "a",
        "b",
      ];
      socket.once("data", () => void trickle([...pieces, "c"], (piece) => socket.write(piece)));
    });
    expect((await ask({ order: httpTo(target.port, { readTimeout: LIMIT }) })).body).toBe("abc");
  });

  test("the time of a slow upload does not count, even if the response waits for it", async () => {
    await using target = await startTcpServer((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"));
      socket.on("data", (chunk) => {
        if (chunk.includes("0\r\n\r\n")) socket.write("1\r\nb\r\n0\r\n\r\n");
      });
    });
    const request = await openRequest({ order: httpTo(target.port, { readTimeout: LIMIT }), method: "POST" });
    const answer = once(request, "response");
    await trickle(["x", "y"], (piece) => request.write(piece), LIMIT * 1.5);
    await pause(LIMIT * 1.5);
    request.end();
    const [response] = (await answer) as [IncomingMessage];
    expect((await readAnswer(response)).body).toBe("ab");
  });

  test("the time until 100 Continue counts", async () => {
    await using target = await startTcpServer();
    await using connection = await openRaw();
    const order = await orderLines(httpTo(target.port, { readTimeout: LIMIT }));
    connection.socket.write(`PUT / HTTP/1.1\r\n${order}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
    await expect.poll(() => connection.received).toContain("connection_read_timeout");
  });

  test("the time of a client that stops reading does not count", async () => {
    const size = 32 * 1024 * 1024;
    await using target = await startTcpServer((socket) => {
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size));
      });
    });
    const request = await openRequest({ order: httpTo(target.port, { readTimeout: LIMIT }) });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    await pause(LIMIT * 3);
    expect((await readAnswer(response)).body.length).toBe(size);
  });

  test("the time to resolve a name or to connect does not count", async () => {
    await using deaf = await startDeafServer();
    const order = httpTo(deaf.port, { readTimeout: 20, writeTimeout: 20, connectTimeout: LIMIT });
    expect((await ask({ order })).failure?.code).toBe("connection_timeout");
  });
});

describe("writeTimeout", () => {
  const size = 32 * 1024 * 1024;

  test.each(["Content-Length", "chunks"])("a target that stops reading: %s", async (framing) => {
    await using target = await startTcpServer((socket) => void socket.pause());
    const { failure } = await ask({
      order: httpTo(target.port, { writeTimeout: LIMIT }),
      method: "PUT",
      headers: framing === "chunks" ? { "Transfer-Encoding": "chunked" } : { "Content-Length": size },
      body: "x".repeat(size),
    });
    expect(failure).toEqual({
      code: "connection_write_timeout",
      detail: `it took nothing more of the request for ${LIMIT} ms`,
    });
    // A socket only sees the end if it reads.
    for (const socket of target.open) socket.resume();
    await expect.poll(() => target.open.size).toBe(0);
  });

  test("the time of a client that uploads slowly does not count", async () => {
    await using target = await startHttpOrigin(ok("done"));
    const order = httpTo(target.port, { writeTimeout: LIMIT });
    const request = await openRequest({ order, method: "PUT" });
    const answer = once(request, "response");
    await trickle(["a", "b"], (piece) => request.write(piece), LIMIT * 2);
    request.end();
    const [response] = (await answer) as [IncomingMessage];
    expect((await readAnswer(response)).body).toBe("done");
  });

  test("a target that reads slowly may take longer in total", async () => {
    const sockets: Socket[] = [];
    let received = 0;
    await using target = await startTcpServer((socket) => {
      sockets.push(socket.pause());
      socket.on("data", (chunk) => {
        received += chunk.length;
        socket.pause();
      });
    });
    const order = httpTo(target.port, { writeTimeout: LIMIT * 2 });
    const request = await openRequest({ order, method: "PUT", headers: { "Content-Length": size } });
    const answer = once(request, "response");
    request.end(Buffer.alloc(size));
    const started = performance.now();
    const isDone = (): boolean => received >= size;
    while (!isDone()) {
      // Read slowly at first, for longer than the limit.
      await pause(performance.now() - started < LIMIT * 4 ? 5 : 0);
      sockets[0]?.resume();
    }
    sockets[0]?.write(ok("done"));
    const [response] = (await answer) as [IncomingMessage];
    expect((await readAnswer(response)).body).toBe("done");
    expect(performance.now() - started).toBeGreaterThan(LIMIT * 4);
  });
});

test("after a 101, no limit applies", async () => {
  await using target = await startTcpServer((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
      void pause(LIMIT * 3).then(() => socket.write("later"));
    });
  });
  await using connection = await openRaw();
  const order = await orderLines(httpTo(target.port, { readTimeout: LIMIT, writeTimeout: LIMIT }));
  connection.socket.write(`GET / HTTP/1.1\r\n${order}Connection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  await expect.poll(() => connection.received, { timeout: 5000 }).toContain("later");
});

test("before a 101, readTimeout applies as for any response", async () => {
  await using target = await startTcpServer();
  const headers = { Connection: "Upgrade", Upgrade: "x" };
  const { failure } = await ask({ order: httpTo(target.port, { readTimeout: LIMIT }), headers });
  expect(failure?.code).toBe("connection_read_timeout");
});
