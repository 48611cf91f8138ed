import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import os from "node:os";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { FAILURE_HEADER } from "../../service-worker/egress-protocol.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { ask, httpTo, openRaw, openRequest, orderLines, readAnswer } from "./ask.ts";

/** Sends a request as octets, the order in the middle of its head, and waits for `until` in the answer. */
async function askRaw(port: number, request: { firstLine: string; rest: string }, until: string): Promise<string> {
  await using connection = await openRaw();
  const order = await orderLines(httpTo(port));
  connection.socket.write(`${request.firstLine}\r\n${order}${request.rest}`, "latin1");
  await expect.poll(() => connection.received, { interval: 5 }).toContain(until);
  return connection.received;
}

describe("what passes untouched", () => {
  test("request heads: case, order, duplicates, octets beyond ASCII, Host; nothing is added", async () => {
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

  test("a request body, with its Content-Length and fields of any octets around it", async () => {
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
      "case, duplicates, octets",
      "HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nset-cookie: b\r\nX: \u00e9\r\nSet-Cookie: c\r\nContent-Length: 3\r\n\r\nend",
    ],
    ["an empty reason", "HTTP/1.1 299 \r\nContent-Length: 3\r\n\r\nend"],
    [
      "a chunked body with trailers",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n2\r\nab\r\n0\r\nX-End: end\r\n\r\n",
    ],
    ["204", "HTTP/1.1 204 No Content\r\nX-Last: end\r\n\r\n"],
    ["304 with the length it would have had", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: end\r\n\r\n"],
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

  test("the answer to HEAD keeps its Content-Length and has no body", async () => {
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

  test("bare line feeds, as some origins write them, are mended", async () => {
    await using origin = await startHttpOrigin("HTTP/1.1 200 OK\nContent-Length: 3\n\nend");
    expect(await askRaw(origin.port, { firstLine: "GET / HTTP/1.1", rest: "Host: a\r\n\r\n" }, "end")).toBe(ok("end"));
  });

  test("the target's Connection: close stays between it and the proxy", async () => {
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
  ])("an announcement of trailers or chunks that can't come does no harm: %s, %j", async (method, response) => {
    await using origin = await startHttpOrigin(response);
    const received = await askRaw(origin.port, { firstLine: `${method} / HTTP/1.1`, rest: "Host: a\r\n\r\n" }, "end");
    expect(received).toMatch(/^HTTP\/1.1 20[04] /);
  });

  test("a failure header of the target's own is not", async () => {
    await using origin = await startHttpOrigin(
      `HTTP/1.1 200 OK\r\n${FAILURE_HEADER}: {}\r\nContent-Length: 2\r\n\r\nhi`,
    );
    const answer = await ask({ order: httpTo(origin.port) });
    expect(answer).toMatchObject({ status: 200, body: "hi", failure: undefined });
  });

  test("a response that ends with its connection is framed in chunks", async () => {
    await using origin = await startHttpOrigin((_, socket) => {
      socket.end("HTTP/1.0 200 OK\r\nX: 1\r\n\r\nto the end");
      return undefined;
    });
    const answer = await ask({ order: httpTo(origin.port) });
    expect(answer).toMatchObject({ status: 200, body: "to the end", headers: { "transfer-encoding": "chunked" } });
  });
});

describe("100-continue", () => {
  test("the origin's consent is awaited, then the body goes", async () => {
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

  test("a refusal comes without the body, and closes", async () => {
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

  test("a reader that stops, stops the origin; 64 MiB then arrive complete", async () => {
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
    // Stalled: nothing moves between two looks.
    let before = -1;
    await expect.poll(() => sent === before || ((before = sent), false), { interval: 200 }).toBe(true);
    expect(sent).toBeLessThan(size / 2);
    const { body } = await readAnswer(response);
    expect(body.length).toBe(size);
  });

  test("an origin that stops reading, stops the upload; it then arrives complete", async () => {
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

  test("an early 413 with a hang-up is delivered while the upload goes on", async () => {
    await using origin = await startTcpServer((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
        // With the upload unread, this is a reset.
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

describe("ends that are not clean", () => {
  test("an abort before the response closes the origin's connection at once", async () => {
    await using origin = await startTcpServer();
    const request = await openRequest({ order: httpTo(origin.port), method: "POST" });
    request.on("error", () => request.destroy());
    request.write("begun");
    await expect.poll(() => origin.open.size).toBe(1);
    request.destroy();
    await expect.poll(() => origin.open.size, { interval: 5 }).toBe(0);
  });

  test("an abort in the middle of a response, too", async () => {
    await using origin = await startHttpOrigin("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun");
    const request = await openRequest({ order: httpTo(origin.port) });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => response.destroy());
    request.destroy();
    await expect.poll(() => origin.open.size).toBe(0);
  });

  test.each([
    ["a length", "Content-Length: 100\r\n\r\nbegun"],
    ["chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n"],
    ["chunks that are no chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\nnot a size\r\n"],
  ])("a response of %s that breaks off is cut off, not ended", async (_, rest) => {
    await using origin = await startHttpOrigin((__, socket) => {
      socket.end(`HTTP/1.1 200 OK\r\n${rest}`);
      return undefined;
    });
    await expect(ask({ order: httpTo(origin.port) })).rejects.toThrow(/aborted|hang up/);
  });
});

test("a trailer of odd octets is passed on or cuts the answer off, and harms nothing else", async () => {
  await using origin = await startHttpOrigin(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\u0001b\r\n\r\n",
  );
  await using connection = await openRaw();
  connection.socket.write(`GET / HTTP/1.1\r\n${await orderLines(httpTo(origin.port))}Host: a\r\n\r\n`);
  await expect.poll(() => connection.isEnded || connection.received.endsWith("0\r\nX: a\u0001b\r\n\r\n")).toBe(true);
});

describe("the pool", () => {
  test("connections are kept and used again, one target at a time", async () => {
    await using one = await startHttpOrigin(ok("one"));
    await using other = await startHttpOrigin(ok("other"));
    for (let round = 0; round < 5; round++) {
      expect((await ask({ order: httpTo(one.port) })).body).toBe("one");
      expect((await ask({ order: httpTo(other.port), method: "POST", body: "x" })).body).toBe("other");
    }
    expect([one.accepted, other.accepted]).toEqual([1, 1]);
  });

  test("a kept connection that the target has given up is replaced, once", async () => {
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
    ["with a body", { method: "PUT", body: "x" }],
    ["that may not be repeated", { method: "POST" }],
  ])("but not for a request %s", async (_, request) => {
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
  test("a unix socket with any name", async () => {
    const directory = await mkdtemp(path.join(os.tmpdir(), "vpc-\u00fc-"));
    const socketPath = path.join(directory, "s.sock");
    await using origin = await startHttpOrigin(ok("unix"), { path: socketPath });
    const escaped = {
      op: "http",
      target: { type: "unix", path: socketPath },
      limits: { connectTimeout: 5000, dnsTimeout: 5000 },
    } as const;
    await using connection = await openRaw();
    // As workerd writes it: UTF-8, not escaped.
    connection.socket.write(`GET / HTTP/1.1\r\n${await orderLines(escaped)}Host: a\r\n\r\n`);
    await expect.poll(() => connection.received).toBe(ok("unix"));
    expect(origin.accepted).toBe(1);
    await rm(directory, { recursive: true });
  });
});

test("Node's own HTTP server sees nothing odd", async () => {
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
