import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { afterEach, describe, expect, test, vi } from "vitest";

import type { VpcFunctionTarget } from "../../plugin/config.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import type { EgressOrder } from "../../service-worker/routing/egress-protocol.ts";
import { ask, failureOfExchange, openRaw, openRequest, orderLines, readAnswer, type RawConnection } from "./ask.ts";

const OWNER = "test";
const HTTP = {
  op: "http",
  target: { type: "function", functionId: "f" },
  limits: { connectTimeout: 5000, dnsTimeout: 5000 },
} as const satisfies EgressOrder;
const ESTABLISHED = "HTTP/1.1 200 OK\r\n\r\n";

async function use(target: VpcFunctionTarget, owner = OWNER): Promise<void> {
  (await egressProxy()).functions.set(owner, new Map([["f", target]]));
}

async function connectRaw(): Promise<RawConnection> {
  const connection = await openRaw();
  const order = await orderLines({ ...HTTP, op: "tcp" });
  connection.socket.write(`CONNECT egress:1 HTTP/1.1\r\nHost: egress:1\r\n${order}\r\n`);
  return connection;
}

afterEach(async () => {
  const proxy = await egressProxy();
  for (const owner of [OWNER, "other"]) for (const _ of [1, 2]) proxy.functions.set(owner, new Map());
});

/** A response that Node's Response constructor would refuse. */
function made(parts: object): VpcFunctionTarget {
  return () => ({ url: "", statusText: "", headers: new Headers(), body: null, ...parts }) as unknown as Response;
}

describe("fetch", () => {
  test("gets the request as a web Request, without the order and the secret", async () => {
    await use(async (request) =>
      Response.json({
        method: request.method,
        url: request.url,
        body: await request.text(),
        headers: [...request.headers],
      }),
    );
    const headers = { Host: "Users.internal:8080", "X-L": "\u00e9", "Content-Type": "text/x" };
    const answer = await ask({ order: HTTP, method: "POST", path: "/a?b=%20", headers, body: "hello" });
    expect(JSON.parse(Buffer.from(answer.body, "latin1").toString())).toEqual({
      method: "POST",
      url: "http://users.internal:8080/a?b=%20",
      body: "hello",
      headers: [
        ["content-length", "5"],
        ["content-type", "text/x"],
        ["host", "Users.internal:8080"],
        ["x-l", "\u00e9"],
      ],
    });
  });

  test("the status, cookies and body of its Response are forwarded", async () => {
    const headers = new Headers({ "X-L": "\u00e9" });
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2");
    await use(() => new Response("made", { status: 418, statusText: "Teapot", headers }));
    expect(await ask({ order: HTTP })).toMatchObject({
      status: 418,
      body: "made",
      headers: { "set-cookie": ["a=1", "b=2"], "x-l": "\u00e9" },
    });
  });

  test.each([
    ["204", () => new Response(null, { status: 204 }), { status: 204, body: "" }],
    ["no body", () => new Response(null), { status: 200, body: "" }],
    ["HEAD", () => new Response("unseen"), { status: 200, body: "" }],
  ])("%s", async (name, answer, expected) => {
    await use(answer);
    expect(await ask({ order: HTTP, method: name === "HEAD" ? "HEAD" : "GET" })).toMatchObject(expected);
  });

  test("bodies stream both ways at once", async () => {
    await use((request) => new Response(request.body));
    const request = await openRequest({ order: HTTP, method: "POST" });
    request.flushHeaders();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    for (const word of ["one", "two"]) {
      request.write(word);
      expect(String((await once(response, "data"))[0])).toBe(word);
    }
    request.end();
    expect((await readAnswer(response)).body).toBe("");
  });

  test("a response of Node's fetch, which has decompressed the body, can be returned", async () => {
    const { gzipSync } = await import("node:zlib");
    const server = http.createServer((_, response) => {
      response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync("plain again"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await use((request) => fetch(new Request(`http://127.0.0.1:${port}/`, request)));
    const answer = await ask({ order: HTTP });
    expect(answer).toMatchObject({ status: 200, body: "plain again" });
    expect(answer.headers).not.toHaveProperty("content-encoding");
    server.closeAllConnections();
    server.close();
  });

  test("an abort reaches the function's signal and cancels its body", async () => {
    const cancelled = vi.fn<() => void>();
    const aborted = vi.fn<() => void>();
    await use((request) => {
      request.signal.addEventListener("abort", aborted);
      return new Response(new ReadableStream({ cancel: cancelled }));
    });
    const request = await openRequest({ order: HTTP });
    request.on("error", () => request.destroy());
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => response.destroy());
    request.destroy();
    await expect.poll(() => [cancelled.mock.calls.length, aborted.mock.calls.length]).toEqual([1, 1]);
  });

  test("an abort in the middle of an upload rejects the function's read of the body, and nothing else fails", async () => {
    const outcomes: string[] = [];
    await use(async (request) => {
      await request.text().catch(() => outcomes.push("failed"));
      return new Response("late");
    });
    const request = await openRequest({ order: HTTP, method: "POST" });
    request.on("error", () => request.destroy());
    request.write("begun");
    request.flushHeaders();
    await once(request, "socket");
    setImmediate(() => request.destroy());
    await expect.poll(() => outcomes).toEqual(["failed"]);
  });

  test("an unread upload does not block the next request on the connection", async () => {
    await use(() => new Response("unread"));
    await using connection = await openRaw();
    const order = await orderLines(HTTP);
    const upload = "x".repeat(1_000_000);
    connection.socket.write(`POST / HTTP/1.1\r\n${order}Host: a\r\nContent-Length: ${upload.length}\r\n\r\n${upload}`);
    connection.socket.write(`GET / HTTP/1.1\r\n${order}Host: a\r\n\r\n`);
    await expect.poll(() => connection.received.match(/unread/g)?.length).toBe(2);
  });

  test("a body that fails in the middle is cut off, not ended", async () => {
    await use(() => {
      let pulls = 0;
      const body = new ReadableStream({
        pull(controller) {
          if (pulls++ === 0) controller.enqueue(new TextEncoder().encode("begun"));
          else controller.error(new Error("broken"));
        },
      });
      return new Response(body);
    });
    await expect(ask({ order: HTTP })).rejects.toThrow(/aborted|hang up/);
  });

  test.each([
    ["//foo/bar?a=//b", "http://users.internal//foo/bar?a=//b"],
    ["/\\foo", "http://users.internal//foo"],
    ["///", "http://users.internal///"],
    ["/http://other/", "http://users.internal/http://other/"],
    ["/@other/", "http://users.internal/@other/"],
    ["/?", "http://users.internal/?"],
  ])("the path %s stays a path, and the host is that of the request", async (path, url) => {
    await use((request) => new Response(request.url));
    expect((await ask({ order: HTTP, path, headers: { Host: "users.internal" } })).body).toBe(url);
  });

  test.each<[string, number, string, VpcFunctionTarget]>([
    ["HEAD of an endless body", 200, "HEAD", () => new Response(new ReadableStream())],
    ["HEAD with a length", 200, "HEAD", () => new Response(null, { headers: { "Content-Length": "7" } })],
    ["204 with a body", 204, "GET", made({ status: 204, body: new Response("unseen").body })],
    ["a status that Node's Response refuses", 999, "GET", made({ status: 999 })],
  ])("%s is forwarded as a head without a body", async (_, status, method, target) => {
    await use(target);
    expect(await ask({ order: HTTP, method })).toMatchObject({ status, body: "", failure: undefined });
  });

  test("a body whose length differs from its Content-Length is cut off", async () => {
    for (const length of ["2", "100"]) {
      await use(() => new Response("hello", { headers: { "Content-Length": length } }));
      await expect(ask({ order: { ...HTTP, exchangeId: length } })).rejects.toThrow(/aborted|hang up/);
      expect(await failureOfExchange(length)).toMatchObject({
        code: "proxy_internal_error",
        detail: expect.stringContaining(`content-length of ${length} byte(s)`),
      });
    }
  });

  const used = new Response("used");
  test.each<[string, VpcFunctionTarget, RegExp]>([
    [
      "throws",
      () => {
        throw new Error("caf\u00e9\nnot ready");
      },
      /^the target's function failed: café\nnot ready$/,
    ],
    ["rejects with a string", () => Promise.reject("words"), /^the target's function failed: words$/],
    [
      "returns nothing",
      (() => undefined) as unknown as VpcFunctionTarget,
      /returned undefined, which isn't a usable Response/,
    ],
    ["returns Response.error()", () => Response.error(), /t a usable Response/],
    [
      "returns a Response that is used up",
      async () => {
        if (!used.bodyUsed) await used.text();
        return used;
      },
      /disturbed|locked|used/i,
    ],
    ["answers with the status 100", made({ status: 100 }), /status 100, which isn't between 200 and 999/],
    ["answers with the status 101", made({ status: 101 }), /status 101/],
    ["answers with the status 1000", made({ status: 1000 }), /status 1000/],
    ["answers with a status that isn't a number", made({ status: "OK" }), /status OK/],
    ["answers with a control character", made({ status: 200, statusText: "O\u0001K" }), /statusMessage/],
    ["answers with two lengths", made({ status: 200, headers: [["Content-Length", "5, 5"]] }), /Content-Length "5, 5"/],
    [
      "answers with a Content-Length and no body",
      () => new Response(null, { headers: { "Content-Length": "5" } }),
      /of 5 and no body/,
    ],
    ["throws a value without a text", () => Promise.reject(Object.create(null)), /a value that has no text was thrown/],
    [
      "throws an error whose message isn't a string",
      () => Promise.reject(Object.assign(new Error(), { message: {} })),
      /\[object/,
    ],
    [
      "has a getter that throws",
      {
        get fetch() {
          throw new Error("not here");
        },
      } as unknown as VpcFunctionTarget,
      /not here/,
    ],
  ])("a function that %s is reported as proxy_internal_error with its message", async (_, target, detail) => {
    await use(target);
    const answer = await ask({ order: HTTP });
    expect(answer).toMatchObject({
      status: 502,
      failure: { code: "proxy_internal_error", detail: expect.stringMatching(detail) },
    });
  });

  test("a request that can't be a web Request is refused with a message", async () => {
    await use(() => new Response("unreached"));
    const answer = await ask({ order: HTTP, method: "GET", headers: { "Content-Length": "4" }, body: "body" });
    expect(answer.failure).toEqual({ code: "http_request_error", detail: expect.stringContaining("GET") });
  });

  test("an upgrade request gets the function's response, without an upgrade", async () => {
    await use((request) => new Response(request.headers.get("upgrade"), { status: 426 }));
    const answer = await ask({ order: HTTP, headers: { Connection: "Upgrade", Upgrade: "websocket" } });
    expect(answer).toMatchObject({ status: 426, body: "websocket" });
  });

  test("a function that is a method keeps its this", async () => {
    await use({
      greeting: "hi",
      fetch(this: { greeting: string }) {
        return new Response(this.greeting);
      },
    } as VpcFunctionTarget);
    expect((await ask({ order: HTTP })).body).toBe("hi");
  });
});

describe("connect", () => {
  test("acts as the origin, including half-close", async () => {
    await use({
      connect(socket) {
        socket.write("hello\r\n");
        socket.on("data", (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
        socket.on("end", () => socket.end("bye"));
      },
    });
    await using connection = await connectRaw();
    connection.socket.write("ping ");
    await expect.poll(() => connection.received).toBe(`${ESTABLISHED}hello\r\nPING `);
    connection.socket.end("pong ");
    await expect.poll(() => connection.isEnded).toBe(true);
    expect(connection.received).toBe(`${ESTABLISHED}hello\r\nPING PONG bye`);
  });

  test.each<[string, (socket: Duplex) => void]>([
    ["destroys it", (socket) => socket.destroy()],
    ["destroys it with an error", (socket) => socket.destroy(new Error("gone"))],
    ["rejects", async () => Promise.reject(new Error("later"))],
    ["rejects with a value without a text", async () => Promise.reject(Object.create(null))],
    [
      "throws in a listener",
      (socket) => {
        socket.on("end", () => {
          throw new Error("later");
        });
        socket.resume();
      },
    ],
    [
      "rejects in a listener",
      (socket) => {
        socket.on("end", async () => Promise.reject(new Error("later")));
        socket.resume();
      },
    ],
  ])("a function that %s ends the connection", async (_, connect) => {
    await use({ connect });
    await using connection = await connectRaw();
    connection.socket.end();
    await expect.poll(() => connection.isEnded).toBe(true);
    expect(connection.received).toBe(ESTABLISHED);
  });

  test("the function's socket closes when the Worker's does", async () => {
    const closed = vi.fn<() => void>();
    await use({
      connect(socket) {
        socket.on("close", closed).on("end", () => socket.write("too late"));
        socket.resume();
      },
    });
    await using connection = await connectRaw();
    await expect.poll(() => connection.received).toBe(ESTABLISHED);
    connection.socket.destroy();
    await expect.poll(() => closed.mock.calls.length).toBe(1);
  });

  test("a function that throws refuses the connection with its message", async () => {
    await use({
      connect: () => {
        throw new Error("not ready");
      },
    });
    await using connection = await connectRaw();
    await expect.poll(() => connection.isEnded).toBe(true);
    expect(connection.received).toContain('"detail":"the target\'s function failed: not ready"');
  });
});

test("a missing fetch or connect is reported as destination_unavailable with a message", async () => {
  await use({ connect: () => {} });
  expect((await ask({ order: HTTP })).failure).toEqual({
    code: "destination_unavailable",
    detail: "the target's function has no fetch part, so it answers connect() only",
  });
  await use(() => new Response());
  await using connection = await connectRaw();
  await expect.poll(() => connection.received).toMatch(/destination_unavailable.*answers fetch\(\) only/);
});

describe("functions.set", () => {
  test("replaces the functions; the previous set stays for requests already decided, older ones are dropped", async () => {
    const proxy = await egressProxy();
    await use(() => new Response("first"));
    await use(() => new Response("second"));
    expect((await ask({ order: HTTP })).body).toBe("second");
    proxy.functions.set(OWNER, new Map());
    expect((await ask({ order: HTTP })).body).toBe("second");
    proxy.functions.set(OWNER, new Map());
    expect((await ask({ order: HTTP })).failure).toMatchObject({ code: "destination_unavailable" });
  });

  test("if two owners use the same id, the last one that was set wins", async () => {
    await use(() => new Response("one"), "other");
    await use(() => new Response("two"), OWNER);
    expect((await ask({ order: HTTP })).body).toBe("two");
    await use(() => new Response("three"), "other");
    expect((await ask({ order: HTTP })).body).toBe("three");
  });
});
