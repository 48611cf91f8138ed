import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import os from "node:os";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { FAILURE_HEADER } from "../../service-worker/routing/egress-protocol.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { ask, failureOfExchange, httpTo, openRaw, openRequest, orderLines, readAnswer } from "./ask.ts";
import { socketIn } from "../servers/socket-path.ts";
import { testOn } from "../setup/only-on.ts";

/** Sends a request as bytes, with the order in the middle of its head, and waits for `until` in the response. */
async function askRaw(port: number, request: { firstLine: string; rest: string }, until: string): Promise<string> {
  await using connection = await openRaw();
  const order = await orderLines(httpTo(port));
  connection.socket.write(`${request.firstLine}\r\n${order}${request.rest}`, "latin1");
  await expect.poll(() => connection.received, { interval: 5 }).toContain(until);
  return connection.received;
}

describe("what is forwarded unchanged", () => {
  test("request heads: case, order, duplicates, bytes beyond ASCII and Host are kept; nothing is added", async () => {
    await using origin = await startHttpOrigin(ok("done"));
    const rest =
      "Host: Users.internal\r\nX-B: 2\r\nx-a: caf\u00e9 \u00c3\u00bc\r\nX-Dup: 1\r\nX-Dup: 2\r\nAccept: */*\r\n\r\n";
    await askRaw(origin.port, { firstLine: "GET /a%20b?q=%C3%A9 HTTP/1.1", rest }, "done");
    expect(origin.requests).toEqual([`GET /a%20b?q=%C3%A9 HTTP/1.1\r\n${rest}`]);
  });

  test.each(["POST", "DELETE", "OPTIONS", "PROPFIND"])("a %s without a body gets no framing fields", async (method) => {
    await using origin = await startHttpOrigin(ok("done"));
    await askRaw(origin.port, { firstLine: `${method} / HTTP/1.1`, rest: "Host: a\r\n\r\n" }, "done");
    expect(origin.requests).toEqual([`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`]);
  });

  test("a request body with a Content-Length, and bytes beyond ASCII in the head and the body", async () => {
    await using origin = await startHttpOrigin(ok("done"));
    const rest = "Host: a\r\nX-A: \u00e9\r\nContent-Length: 3\r\n\r\n\u0000\u00ff\u00e9";
    await askRaw(origin.port, { firstLine: "PUT /f HTTP/1.1", rest }, "done");
    expect(origin.requests).toEqual([`PUT /f HTTP/1.1\r\n${rest}`]);
  });

  test("a chunked request body with trailers", async () => {
    await using origin = await startHttpOrigin(ok("done"));
    const rest = "Host: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n";
    await askRaw(origin.port, { firstLine: "POST / HTTP/1.1", rest }, "done");
    expect(origin.requests).toEqual([`POST / HTTP/1.1\r\n${rest}`]);
  });

  test.each([
    [
      "case, duplicates, bytes beyond ASCII",
      "HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nset-cookie: b\r\nX: \u00e9\r\nSet-Cookie: c\r\nContent-Length: 3\r\n\r\nend",
    ],
    ["an empty reason", "HTTP/1.1 299 \r\nContent-Length: 3\r\n\r\nend"],
    [
      "a chunked body with trailers",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n2\r\nab\r\n0\r\nX-End: end\r\n\r\n",
    ],
    ["204", "HTTP/1.1 204 No Content\r\nX-Last: end\r\n\r\n"],
    ["304 with a Content-Length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: end\r\n\r\n"],
    [
      "the origin's own Date and Connection",
      "HTTP/1.1 200 OK\r\nDate: today\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nend",
    ],
    [
      "a Content-Disposition in UTF-8",
      "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\u00e6\u0097\u00a5\r\nContent-Length: 3\r\n\r\nend",
    ],
  ])("a response: %s", async (_, response) => {
    await using origin = await startHttpOrigin(response);
    const received = await askRaw(origin.port, { firstLine: "GET / HTTP/1.1", rest: "Host: a\r\n\r\n" }, "end");
    expect(received).toBe(response);
  });

  test("the response to HEAD keeps its Content-Length and has no body", async () => {
    await using origin = await startHttpOrigin("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-Last: end\r\n\r\n");
    const received = await askRaw(
      origin.port,
      { firstLine: "HEAD / HTTP/1.1", rest: "Host: a\r\n\r\n" },
      "end\r\n\r\n",
    );
    expect(received).toBe("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-Last: end\r\n\r\n");
  });

  test("300 KiB of header fields, thousands of them, both ways", async () => {
    const fields = Array.from({ length: 3000 }, (_, index) => `X-${index}: ${"v".repeat(90)}\r\n`).join("");
    await using origin = await startHttpOrigin(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 4\r\n\r\ndone`);
    const rest = `Host: a\r\n${fields}\r\n`;
    const received = await askRaw(origin.port, { firstLine: "GET / HTTP/1.1", rest }, "done");
    expect(origin.requests).toEqual([`GET / HTTP/1.1\r\n${rest}`]);
    expect(received).toContain(fields);
  });

  test("informational responses, in order, before the final one", async () => {
    await using origin = await startHttpOrigin(
      `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok("done")}`,
    );
    const received = await askRaw(origin.port, { firstLine: "GET / HTTP/1.1", rest: "Host: a\r\n\r\n" }, "done");
    expect(received).toBe(
      `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok("done")}`,
    );
  });

  test("bare line feeds, as some origins write them, become CR LF", async () => {
    await using origin = await startHttpOrigin("HTTP/1.1 200 OK\nContent-Length: 3\n\nend");
    expect(await askRaw(origin.port, { firstLine: "GET / HTTP/1.1", rest: "Host: a\r\n\r\n" }, "end")).toBe(ok("end"));
  });

  test.each([
    ["identity", "HTTP/1.1", "chunked"],
    ["gzip", "HTTP/1.1", "gzip, chunked"],
    ["identity", "HTTP/1.0", "chunked"],
  ])(
    "a body with Transfer-Encoding: %s in %s, which ends with the connection, is forwarded in chunks",
    async (coding, version, instead) => {
      await using origin = await startHttpOrigin((_, socket) => {
        socket.end(`${version} 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\nend`);
        return undefined;
      });
      const answer = await ask({ order: httpTo(origin.port) });
      expect(answer).toMatchObject({ status: 200, body: "end", headers: { "transfer-encoding": instead } });
    },
  );

  test("a reset in such a body cuts it off", async () => {
    await using origin = await startHttpOrigin((_, socket) => {
      const reset = (): void => void socket.resetAndDestroy();
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nbegun", reset);
      return undefined;
    });
    const order = { ...httpTo(origin.port), exchangeId: "reset of identity" };
    await expect(ask({ order })).rejects.toThrow(/aborted|hang up/);
    expect(await failureOfExchange("reset of identity")).toMatchObject({
      code: "http_response_incomplete",
      detail: expect.stringContaining("and then the connection failed"),
    });
  });

  test("the target's Connection: close is not forwarded", async () => {
    await using origin = await startHttpOrigin((_, socket) => {
      socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nend");
      return undefined;
    });
    await using connection = await openRaw();
    const order = await orderLines(httpTo(origin.port));
    for (const round of [1, 2]) {
      connection.socket.write(`GET / HTTP/1.1\r\n${order}Host: a\r\n\r\n`);
      await expect.poll(() => connection.received).toBe(ok("end").repeat(round));
    }
    expect(origin.accepted).toBe(2);
  });

  test.each([
    ["HEAD", "HTTP/1.1 200 OK\r\nTrailer: X\r\nX-Last: end\r\n\r\n"],
    ["GET", "HTTP/1.1 200 OK\r\nTrailer: X\r\nContent-Length: 3\r\n\r\nend"],
    ["HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nX-Last: end\r\n\r\n"],
    ["GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\nX-Last: end\r\n\r\n"],
  ])("announced trailers or chunks that can't follow are harmless: %s, %j", async (method, response) => {
    await using origin = await startHttpOrigin(response);
    const received = await askRaw(origin.port, { firstLine: `${method} / HTTP/1.1`, rest: "Host: a\r\n\r\n" }, "end");
    expect(received).toMatch(/^HTTP\/1.1 20[04] /);
  });

  test("the target's own failure header is removed", async () => {
    await using origin = await startHttpOrigin(
      `HTTP/1.1 200 OK\r\n${FAILURE_HEADER}: {}\r\nContent-Length: 2\r\n\r\nhi`,
    );
    const answer = await ask({ order: httpTo(origin.port) });
    expect(answer).toMatchObject({ status: 200, body: "hi", failure: undefined });
  });

  test("a response that ends with its connection is forwarded in chunks", async () => {
    await using origin = await startHttpOrigin((_, socket) => {
      socket.end("HTTP/1.0 200 OK\r\nX: 1\r\n\r\nto the end");
      return undefined;
    });
    const answer = await ask({ order: httpTo(origin.port) });
    expect(answer).toMatchObject({ status: 200, body: "to the end", headers: { "transfer-encoding": "chunked" } });
  });
});

describe("100-continue", () => {
  test("the body is sent after the origin's 100 Continue", async () => {
    await using origin = await startTcpServer((socket) => {
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk.toString("latin1");
        if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        if (received.endsWith("body")) socket.write(ok("done"));
      });
    });
    await using connection = await openRaw();
    const order = await orderLines(httpTo(origin.port));
    connection.socket.write(`PUT / HTTP/1.1\r\n${order}Host: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
    await expect.poll(() => connection.received).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    connection.socket.write("body");
    await expect.poll(() => connection.received).toBe(`HTTP/1.1 100 Continue\r\n\r\n${ok("done")}`);
  });

  test("a refusal is forwarded, the body isn't sent, and the connection is closed", async () => {
    await using origin = await startTcpServer((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"));
    });
    await using connection = await openRaw();
    const order = await orderLines(httpTo(origin.port));
    connection.socket.write(`PUT / HTTP/1.1\r\n${order}Host: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
    await expect.poll(() => connection.isEnded).toBe(true);
    expect(connection.received).toBe(
      "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
  });
});

describe("streaming", () => {
  test("heads and chunks arrive as they are sent, both ways at once", async () => {
    await using origin = await startTcpServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nX: \u00e9\r\nTransfer-Encoding: chunked\r\n\r\n", "latin1");
      socket.on("data", (chunk) => {
        if (chunk.includes("ping")) socket.write("4\r\npong\r\n");
      });
    });
    const request = await openRequest({ order: httpTo(origin.port), method: "POST" });
    request.flushHeaders();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.headers["x"]).toBe("\u00e9");
    for (let round = 0; round < 3; round++) {
      request.write("ping");
      const [chunk] = (await once(response, "data")) as [Buffer];
      expect(chunk.toString()).toBe("pong");
    }
    request.on("error", () => request.destroy());
    response.on("error", () => response.destroy());
    request.destroy();
    await expect.poll(() => origin.open.size).toBe(0);
  });

  test("a client that stops reading pauses the origin; 64 MiB then arrive complete", async () => {
    const size = 64 * 1024 * 1024;
    let sent = 0;
    await using origin = await startTcpServer((socket) => {
      const block = Buffer.alloc(64 * 1024, "x");
      const fill = (): void => {
        while (sent < size) {
          sent += block.length;
          if (!socket.write(block)) return;
        }
      };
      socket.on("drain", fill);
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        fill();
      });
    });
    const request = await openRequest({ order: httpTo(origin.port) });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    // It has stalled if two checks in a row see the same count.
    let before = -1;
    await expect.poll(() => sent === before || ((before = sent), false), { interval: 200 }).toBe(true);
    expect(sent).toBeLessThan(size / 2);
    const { body } = await readAnswer(response);
    expect(body.length).toBe(size);
  });

  test("an origin that stops reading pauses the upload; it then arrives complete", async () => {
    const size = 32 * 1024 * 1024;
    let received = 0;
    const sockets: Socket[] = [];
    await using origin = await startTcpServer((socket) => {
      socket.pause();
      sockets.push(socket);
      socket.on("data", (chunk) => {
        received += chunk.length;
        if (received > size) socket.write(ok("done"));
      });
    });
    const request = await openRequest({
      order: httpTo(origin.port),
      method: "PUT",
      headers: { "Content-Length": size },
    });
    const block = Buffer.alloc(1024 * 1024);
    let sent = 0;
    const fill = (): void => {
      while (sent < size) {
        sent += block.length;
        if (!request.write(block)) return;
      }
      request.end();
    };
    request.on("drain", fill);
    fill();
    let before = -1;
    await expect.poll(() => sent === before || ((before = sent), false), { interval: 200 }).toBe(true);
    expect(sent).toBeLessThan(size);
    sockets[0]?.resume();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect((await readAnswer(response)).body).toBe("done");
  });

  test("an early 413 that closes the connection is forwarded during an upload", async () => {
    await using origin = await startTcpServer((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
        // This is a reset, because the upload is unread.
        socket.destroySoon();
      });
    });
    for (let round = 0; round < 20; round++) {
      const request = await openRequest({ order: httpTo(origin.port), method: "POST" });
      const upload = setInterval(() => request.write(Buffer.alloc(256 * 1024)), 0);
      const [response] = (await once(request, "response")) as [IncomingMessage];
      expect(await readAnswer(response)).toMatchObject({ status: 413, body: "big", failure: undefined });
      clearInterval(upload);
      request.on("error", () => request.destroy()).destroy();
    }
    await expect.poll(() => origin.open.size).toBe(0);
  });
});

describe("aborted requests and responses", () => {
  test("an abort before the response closes the origin's connection at once", async () => {
    await using origin = await startTcpServer();
    const request = await openRequest({ order: httpTo(origin.port), method: "POST" });
    request.on("error", () => request.destroy());
    request.write("begun");
    await expect.poll(() => origin.open.size).toBe(1);
    request.destroy();
    await expect.poll(() => origin.open.size, { interval: 5 }).toBe(0);
  });

  test("an abort in the middle of a response closes it too", async () => {
    await using origin = await startHttpOrigin("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun");
    const request = await openRequest({ order: httpTo(origin.port) });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => response.destroy());
    request.destroy();
    await expect.poll(() => origin.open.size).toBe(0);
  });

  test.each([
    ["Content-Length", "Content-Length: 100\r\n\r\nbegun"],
    ["chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n"],
    ["an invalid chunk size", "Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\nnot a size\r\n"],
  ])("a response with %s that breaks off is cut off, not ended", async (_, rest) => {
    await using origin = await startHttpOrigin((__, socket) => {
      socket.end(`HTTP/1.1 200 OK\r\n${rest}`);
      return undefined;
    });
    await expect(ask({ order: httpTo(origin.port) })).rejects.toThrow(/aborted|hang up/);
  });
});

test("a trailer with a control character is forwarded or cuts the response off, and nothing else fails", async () => {
  await using origin = await startHttpOrigin(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\u0001b\r\n\r\n",
  );
  await using connection = await openRaw();
  connection.socket.write(`GET / HTTP/1.1\r\n${await orderLines(httpTo(origin.port))}Host: a\r\n\r\n`);
  await expect.poll(() => connection.isEnded || connection.received.endsWith("0\r\nX: a\u0001b\r\n\r\n")).toBe(true);
});

describe("the pool", () => {
  test("connections are kept and used again, for the same target only", async () => {
    await using one = await startHttpOrigin(ok("one"));
    await using other = await startHttpOrigin(ok("other"));
    for (let round = 0; round < 5; round++) {
      expect((await ask({ order: httpTo(one.port) })).body).toBe("one");
      expect((await ask({ order: httpTo(other.port) })).body).toBe("other");
    }
    expect([one.accepted, other.accepted]).toEqual([1, 1]);
  });

  test("if the target has closed a kept connection, the request is repeated once on a new one", async () => {
    let isFirst = true;
    await using origin = await startHttpOrigin((_, socket) => {
      if (origin.accepted === 1 && !isFirst) {
        socket.destroy();
        return undefined;
      }
      isFirst = false;
      return ok("done");
    });
    await ask({ order: httpTo(origin.port) });
    expect((await ask({ order: httpTo(origin.port) })).body).toBe("done");
    expect(origin.accepted).toBe(2);
  });

  test.each([
    ["a request with a body", { method: "PUT", body: "x" }],
    ["a POST", { method: "POST" }],
  ])("%s is not repeated", async (_, request) => {
    await using origin = await startHttpOrigin((__, socket) => {
      if (origin.requests.length === 1) return ok("done");
      socket.destroy();
      return undefined;
    });
    await ask({ order: httpTo(origin.port) });
    const answer = await ask({ order: httpTo(origin.port), ...request });
    expect(answer.failure?.code).toBe("connection_terminated");
    expect(origin.requests.length).toBe(2);
  });

  test("100 requests at once", async () => {
    await using origin = await startHttpOrigin((request) => ok(request.split(" ")[1] ?? ""));
    const paths = Array.from({ length: 100 }, (_, index) => `/${index}`);
    const answers = await Promise.all(paths.map((asked) => ask({ order: httpTo(origin.port), path: asked })));
    expect(answers.map(({ body }) => body)).toEqual(paths);
  });
});

describe("targets", () => {
  test("a unix socket with a name beyond ASCII", async () => {
    const directory = await mkdtemp(path.join(os.tmpdir(), "vpc-\u00fc-"));
    const socketPath = socketIn(directory, "s.sock");
    await using origin = await startHttpOrigin(ok("unix"), { path: socketPath });
    const escaped = {
      op: "http",
      target: { type: "unix", path: socketPath },
      limits: { connectTimeout: 5000, dnsTimeout: 5000 },
    } as const;
    await using connection = await openRaw();
    // workerd writes the path as UTF-8, without escapes.
    connection.socket.write(`GET / HTTP/1.1\r\n${await orderLines(escaped)}Host: a\r\n\r\n`);
    await expect.poll(() => connection.received).toBe(ok("unix"));
    expect(origin.accepted).toBe(1);
    await rm(directory, { recursive: true });
  });
});

test("Node's HTTP server accepts the forwarded request", async () => {
  const server = http.createServer((request, response) => {
    request.resume().on("end", () => response.end(JSON.stringify(request.rawHeaders)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const answer = await ask({ order: httpTo(port), method: "POST", headers: { Host: "users.internal" }, body: "hello" });
  expect(JSON.parse(answer.body)).toEqual(expect.arrayContaining(["Host", "users.internal"]));
  server.closeAllConnections();
  server.close();
});

describe("control characters in a response's head", () => {
  test.each(["200 O\u0001K", "200 \u007f", "200 a\u0000b", "404 O\u001fK"])(
    "the status line %j fails the request",
    async (status) => {
      const answers = [`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nhi`, ok("next")];
      await using origin = await startHttpOrigin(() => answers.shift());
      const { failure } = await ask({ order: httpTo(origin.port) });
      expect(failure).toMatchObject({ code: "http_protocol_error", detail: expect.stringContaining("statusMessage") });
      expect(await ask({ order: httpTo(origin.port) })).toMatchObject({ status: 200, body: "next" });
    },
  );

  test("an interim response with one in its status line is dropped", async () => {
    await using origin = await startHttpOrigin(`HTTP/1.1 103 W\u0001ait\r\n\r\n${ok("done")}`);
    const received = await askRaw(origin.port, { firstLine: "GET / HTTP/1.1", rest: "Host: a\r\n\r\n" }, "done");
    expect(received).toBe(ok("done"));
  });
});

test.each([
  [
    "417793 bytes of fields",
    `X-A: ${"a".repeat(417_793)}\r\n`,
    /it has 417\d{3} bytes, and workerd takes at most 417792/,
  ],
  ["16384 fields", "A:a\r\n".repeat(16_384), /it has 1638\d fields.* and 16383 fields/],
  ["more than 1 MiB of fields", `X-A: ${"a".repeat(1024 * 1024)}\r\n`, /it is larger than 1 MiB/],
])("a response with %s can't be forwarded, and the message names the limit", async (_, fields, words) => {
  await using origin = await startHttpOrigin(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 1\r\n\r\na`);
  expect((await ask({ order: httpTo(origin.port) })).failure).toMatchObject({
    code: "http_protocol_error",
    detail: expect.stringMatching(words),
    hint: "Change the target to send fewer or shorter fields.",
  });
});

testOn(
  "posix",
  "Windows has no such limit",
  "a unix socket whose path is too long is refused with a message",
  async () => {
    const target = { type: "unix", path: `/tmp/${"a".repeat(110)}` } as const;
    expect((await ask({ order: { ...httpTo(1), target } })).failure).toMatchObject({
      code: "destination_unavailable",
      detail: expect.stringMatching(/ has 115 bytes, but this system takes at most 10[37]$/),
    });
  },
);
