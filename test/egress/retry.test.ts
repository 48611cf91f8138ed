import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { describe, expect, test } from "vitest";

import { type HttpOrigin, ok, startForgetfulOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { type Answer, type RawConnection, ask, httpTo, openRaw, openRequest, orderLines, readAnswer } from "./ask.ts";

/** Answers with the number of connections so far, once it has `together` requests. */
async function startKeeping(together: number, port = 0): Promise<HttpOrigin> {
  const waiting: Socket[] = [];
  const origin = await startHttpOrigin(
    (_, socket) => {
      waiting.push(socket);
      if (origin.requests.length >= together) {
        for (const asked of waiting.splice(0)) asked.write(ok(`of ${origin.accepted}`));
      }
      return undefined;
    },
    { port },
  );
  return origin;
}

/** Makes the proxy keep `count` idle connections. */
async function keep(origin: HttpOrigin, count: number): Promise<void> {
  const asked = Array.from({ length: count }, async () => {
    const request = await openRequest({ order: httpTo(origin.port) });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return readAnswer(response);
  });
  await Promise.all(asked);
  expect([origin.accepted, origin.open.size]).toEqual([count, count]);
}

/** A connection that the proxy already reads from, and the text of one request. */
async function prepare(port: number, head: string): Promise<{ connection: RawConnection; request: string }> {
  const [firstLine = "", ...rest] = head.split("\r\n");
  const connection = await openRaw();
  const first = await orderLines({ op: "failure", exchangeId: "none" });
  connection.socket.write(`GET / HTTP/1.1\r\n${first}\r\n`);
  await expect.poll(() => connection.received).toContain("null");
  const request = `${firstLine}\r\n${await orderLines(httpTo(port))}Host: a\r\n${rest.join("\r\n")}`;
  return { connection, request };
}

/** Ways for the target to close its connections. All but the half-closed take effect before they return. */
const WAYS: [string, (socket: Socket) => void][] = [
  ["closed", (socket) => socket.destroy()],
  ["reset", (socket) => socket.resetAndDestroy()],
  ["half-closed", (socket) => socket.removeAllListeners("data").end()],
];
const REQUESTS: [string, string][] = [
  ["GET", "GET / HTTP/1.1\r\n\r\n"],
  ["POST", "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"],
  ["POST without a body", "POST / HTTP/1.1\r\n\r\n"],
];
const CASES = WAYS.flatMap(([how, letGo]) =>
  REQUESTS.flatMap(([what, head]) => [1, 3].map((count) => ({ how, letGo, what, head, count }))),
);

describe("no request is lost on kept connections that the target has closed", () => {
  test.each(CASES)("$count $how while idle, then a $what arrives", async ({ letGo, head, count }) => {
    await using origin = await startKeeping(count);
    await keep(origin, count);
    const { connection, request } = await prepare(origin.port, head);
    for (const socket of origin.open) letGo(socket);
    await expect.poll(() => origin.open.size).toBe(0);
    connection.socket.write(request);
    await expect.poll(() => connection.received).toContain(`of ${count + 1}`);
    await connection[Symbol.asyncDispose]();
  });

  test.each(CASES)("$count $how just before a $what arrives", async ({ letGo, head, count }) => {
    await using origin = await startKeeping(count);
    await keep(origin, count);
    const { connection, request } = await prepare(origin.port, head);
    for (const socket of origin.open) letGo(socket);
    connection.socket.write(request);
    await expect.poll(() => connection.received).toContain(`of ${count + 1}`);
    await connection[Symbol.asyncDispose]();
  });

  // Without half-closed: its end goes out a moment later, so nobody knows if a POST came first.
  test.each(CASES.filter(({ how }) => how !== "half-closed"))(
    "$count $how while a $what is on its way",
    async ({ letGo, head, count }) => {
      await using origin = await startKeeping(count);
      await keep(origin, count);
      const { connection, request } = await prepare(origin.port, head);
      connection.socket.write(request);
      for (const socket of origin.open) letGo(socket);
      await expect.poll(() => connection.received).toContain(`of ${count + 1}`);
      await connection[Symbol.asyncDispose]();
    },
  );

  test.each(CASES.filter(({ how }) => how !== "half-closed"))(
    "$count $how in the same turn of the event loop in which the proxy reads a $what",
    async ({ letGo, head, count }) => {
      await using origin = await startKeeping(count);
      await keep(origin, count);
      const { connection, request } = await prepare(origin.port, head);
      connection.socket.write(request);
      // The proxy runs in this process too, so it has read the request now.
      await new Promise<void>((next) => setImmediate(next));
      for (const socket of origin.open) letGo(socket);
      await expect.poll(() => connection.received).toContain(`of ${count + 1}`);
      await connection[Symbol.asyncDispose]();
    },
  );

  test.each(REQUESTS)("the target restarts, then a %s", async (_, head) => {
    const before = await startKeeping(3);
    await keep(before, 3);
    await before[Symbol.asyncDispose]();
    await using after = await startKeeping(1, before.port);
    const { connection, request } = await prepare(after.port, head);
    connection.socket.write(request);
    await expect.poll(() => connection.received).toContain("of 1");
    await connection[Symbol.asyncDispose]();
  });

  test.each([0, 1, 2])("if number %i of three is closed in that turn, the others stay in use", async (index) => {
    await using origin = await startKeeping(3);
    await keep(origin, 3);
    const { connection, request } = await prepare(origin.port, "POST / HTTP/1.1\r\n\r\n");
    connection.socket.write(request);
    await new Promise<void>((next) => setImmediate(next));
    [...origin.open][index]?.destroy();
    // The proxy doesn't know this target yet, so it sends the POST over a new connection.
    await expect.poll(() => connection.received).toContain("of 4");
    expect(await ask({ order: httpTo(origin.port) })).toMatchObject({ body: "of 4" });
    await connection[Symbol.asyncDispose]();
  });
});

const post = (port: number): Promise<Answer> => ask({ order: httpTo(port), method: "POST", body: "x" });

describe("a request that may not be repeated", () => {
  test("uses a kept connection again, once the target is known to keep them", async () => {
    await using origin = await startHttpOrigin(() => ok(`of ${origin.accepted}`));
    const areReused = async (): Promise<boolean> => {
      for (let round = 0; round < 200; round++) {
        const before = origin.accepted;
        await post(origin.port);
        if (origin.accepted === before) return true;
      }
      return false;
    };
    await expect.poll(areReused).toBe(true);
  });

  test("replaces a connection that was idle for a while", async () => {
    await using origin = await startHttpOrigin(() => ok(`of ${origin.accepted}`));
    for (let round = 1; round <= 3; round++) {
      expect((await post(origin.port)).body).toBe(`of ${round}`);
      const answered = performance.now();
      await expect.poll(() => performance.now() - answered, { timeout: 5000 }).toBeGreaterThan(1100);
    }
    expect(origin.open.size).toBe(1);
  });

  test("opens no more than a few dozen connections that are kept, if each one needs a new one", async () => {
    await using origin = await startHttpOrigin((_, socket) => {
      // A target that has closed a connection right after its response isn't trusted to keep the next ones.
      if (origin.accepted <= 5) setImmediate(() => socket.destroy());
      return ok("once");
    });
    for (let done = 0; done < 100; done++) await post(origin.port);
    expect(origin.accepted).toBe(100);
    await expect.poll(() => origin.open.size).toBeLessThanOrEqual(32);
  });

  test.each(WAYS.slice(0, 2))("is not lost if each connection is %s right after its response", async (_, letGo) => {
    await using origin = await startHttpOrigin((request, socket) => {
      // Right after the response, or one or two milliseconds later.
      setTimeout(() => letGo(socket), origin.requests.length % 3);
      return ok(request.slice(0, 4));
    });
    const inTurn = async (): Promise<void> => {
      for (let round = 0; round < 20; round++) expect((await post(origin.port)).body).toBe("POST");
    };
    await Promise.all([inTurn(), inTurn(), inTurn(), inTurn()]);
    expect(origin.requests.length).toBe(80);
  });

  test("is not lost if the target closes idle connections after a time that it doesn't announce", async () => {
    const idle = 250;
    await using origin = await startForgetfulOrigin(idle);
    const postAround = async (wait: number): Promise<void> => {
      expect((await post(origin.port)).body).toBe("in time");
      const answered = performance.now();
      await expect.poll(() => performance.now() - answered, { interval: 1 }).toBeGreaterThan(wait);
      expect((await post(origin.port)).body).toBe("in time");
    };
    for (let round = 0; round < 2; round++) {
      await Promise.all(Array.from({ length: 16 }, (_, index) => postAround(idle - 8 + index)));
    }
    expect(origin.requests.length).toBe(64);
  });
});

/** Once it has read one request more than `count`, it closes all connections, that request's first. */
async function startClosing(count: number): Promise<HttpOrigin> {
  const origin = await startHttpOrigin((_, socket) => {
    if (origin.requests.length === count + 1) for (const open of [socket, ...origin.open]) open.destroy();
    else if (origin.requests.length >= count) for (const open of origin.open) open.write(ok(`of ${origin.accepted}`));
    return undefined;
  });
  return origin;
}

describe("if the target closes the connection after it read the request", () => {
  test.each([1, 3])("a GET is repeated once, on a new connection instead of another kept one: %s", async (count) => {
    await using origin = await startClosing(count);
    await keep(origin, count);
    expect((await ask({ order: httpTo(origin.port) })).body).toBe(`of ${count + 1}`);
    expect(origin.requests.length).toBe(count + 2);
  });

  test("a POST is not repeated, because the target may have processed it", async () => {
    await using origin = await startClosing(1);
    await keep(origin, 1);
    const { failure } = await ask({ order: httpTo(origin.port), method: "POST", body: "x" });
    expect(failure?.code).toBe("connection_terminated");
    expect(origin.requests.length).toBe(2);
  });

  test("a GET is not repeated once a byte of the response has arrived", async () => {
    await using origin = await startHttpOrigin((_, socket) => {
      if (origin.requests.length === 1) return ok("first");
      socket.end("HTTP/1.1 2");
      return undefined;
    });
    await ask({ order: httpTo(origin.port) });
    expect((await ask({ order: httpTo(origin.port) })).failure).toEqual({
      code: "http_response_incomplete",
      detail: "the connection closed after 10 bytes, in the middle of the response's head",
    });
    expect(origin.requests.length).toBe(2);
  });
});

test.each(WAYS.slice(0, 2))("a GET to a target that has stopped meanwhile is refused: %s", async (_, letGo) => {
  const origin = await startKeeping(2);
  await keep(origin, 2);
  const { connection, request } = await prepare(origin.port, "GET / HTTP/1.1\r\n\r\n");
  connection.socket.write(request);
  for (const socket of origin.open) letGo(socket);
  await origin[Symbol.asyncDispose]();
  await expect.poll(() => connection.received).toContain("connection_refused");
  await connection[Symbol.asyncDispose]();
});

test("an order for a fresh connection uses no kept one", async () => {
  await using origin = await startKeeping(3);
  await keep(origin, 3);
  expect((await ask({ order: { ...httpTo(origin.port), isFresh: true } })).body).toBe("of 4");
  // The old connections are closed, the new one is kept.
  expect((await ask({ order: httpTo(origin.port) })).body).toBe("of 4");
  await expect.poll(() => origin.open.size).toBe(1);
});

test("bytes that a target sends on an idle connection are not the response to the next request", async () => {
  await using origin = await startHttpOrigin(() => ok(`of ${origin.accepted}`));
  await ask({ order: httpTo(origin.port) });
  for (const socket of origin.open) socket.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  await expect.poll(() => origin.open.size).toBe(0);
  expect(await ask({ order: httpTo(origin.port) })).toMatchObject({ status: 200, body: "of 2" });
});

test("a refused connection is not retried", async () => {
  const target = await startTcpServer();
  await target[Symbol.asyncDispose]();
  expect((await ask({ order: { ...httpTo(target.port), isFresh: true } })).failure?.code).toBe("connection_refused");
});
