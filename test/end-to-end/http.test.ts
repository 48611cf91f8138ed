/** `fetch()` on both kinds of binding, against real servers. */

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { WebSocketServer } from "ws";
import { describe, expect, it, vi } from "vitest";
import { ok, startForgetfulOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL, startTestWorker, type TestEnv } from "../setup/test-worker.ts";
import { socketIn } from "../servers/socket-path.ts";

const text = async (env: TestEnv, [binding, url, init]: [keyof TestEnv, string, RequestInit?]): Promise<string> =>
  (await env[binding].fetch(url, init)).text();

function requestLine(request: string | undefined): string | undefined {
  return request?.split("\r\n")[0];
}

function header(request: string | undefined, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, "im").exec(request ?? "")?.[1]?.trim();
}

describe("the documented examples", () => {
  it("gets", async () => {
    await using origin = await startHttpOrigin(ok('[{"name":"Jane"}]'));
    await using worker = await startTestWorker({
      config: { services: { [SERVICE]: `http://127.0.0.1:${origin.port}` } },
      ops: {
        async get(env) {
          const privateRequest = new Request("http://internal-api.company.local/users");
          const response = await env.API.fetch(privateRequest);
          return response.json();
        },
      },
    });
    expect(await worker.call("get")).toEqual([{ name: "Jane" }]);
    expect(requestLine(origin.requests[0])).toBe("GET /users HTTP/1.1");
    expect(header(origin.requests[0], "host")).toBe("internal-api.company.local");
  });

  it("posts with a body and headers", async () => {
    await using origin = await startHttpOrigin(ok("{}"));
    await using worker = await startTestWorker({
      config: { services: { [SERVICE]: `127.0.0.1:${origin.port}` } },
      ops: {
        async post(env) {
          const privateRequest = new Request("http://internal-api.company.local/users", {
            method: "POST",
            headers: { "Content-Type": "application/json", Authorization: "Bearer token" },
            body: JSON.stringify({ name: "John Doe", email: "john@example.com" }),
          });
          const response = await env.API.fetch(privateRequest);
          return response.ok && (await response.json());
        },
      },
    });
    expect(await worker.call("post")).toEqual({});
    const request = origin.requests[0];
    expect(requestLine(request)).toBe("POST /users HTTP/1.1");
    expect(header(request, "content-type")).toBe("application/json");
    expect(header(request, "authorization")).toBe("Bearer token");
    expect(request?.split("\r\n\r\n")[1]).toBe('{"name":"John Doe","email":"john@example.com"}');
  });
});

describe("a VPC Service", () => {
  it("uses its own host and port, with the URL's host in the Host header", async () => {
    await using origin = await startHttpOrigin(ok("users"));
    await using worker = await startTestWorker({
      config: {
        services: {
          [SERVICE]: {
            name: "users-api",
            type: "http",
            http_port: 8080,
            host: { hostname: "users.internal", resolver_network: { tunnel_id: TUNNEL } },
          },
        },
        networks: { [TUNNEL]: { routes: { "users.internal:8080": `127.0.0.1:${origin.port}` } } },
      },
      ops: { text },
    });
    expect(await worker.call("text", ["API", "http://whatever.example:9999/x"])).toBe("users");
    expect(header(origin.requests[0], "host")).toBe("whatever.example:9999");
    await expect(worker.call("text", ["API", "https://whatever.example/"])).rejects.toThrow(
      "ProxyError: http_request_denied",
    );
    expect(worker.output()).toContain('the URL\'s scheme is https:, but the record has only "http_port"');
  });

  it("follows a redirect to the same service", async () => {
    await using origin = await startHttpOrigin((request) =>
      request.startsWith("GET /old ")
        ? "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/new\r\nContent-Length: 0\r\n\r\n"
        : ok("new"),
    );
    await using worker = await startTestWorker({
      config: { services: { [SERVICE]: `127.0.0.1:${origin.port}` } },
      ops: {
        text,
        status: async (env) => (await env.API.fetch("http://users.internal/old", { redirect: "manual" })).status,
      },
    });
    expect(await worker.call("text", ["API", "http://users.internal/old"])).toBe("new");
    expect(header(origin.requests[1], "host")).toBe("elsewhere.example");
    expect(await worker.call("status")).toBe(302);
  });
});

describe("a VPC Network", () => {
  it("uses the URL as the destination", async () => {
    await using a = await startHttpOrigin(ok("a"));
    await using b = await startHttpOrigin(ok("b"));
    await using worker = await startTestWorker({
      config: {
        networks: {
          [TUNNEL]: {
            routes: {
              "a.internal": `127.0.0.1:${a.port}`,
              "10.0.1.50:8080": `127.0.0.1:${b.port}`,
              "10.0.1.50": { deny: "destination_ip_prohibited" },
            },
          },
        },
      },
      ops: { text },
    });
    expect(await worker.call("text", ["NET", "http://a.internal/"])).toBe("a");
    expect(await worker.call("text", ["NET", "http://10.0.1.50:8080/"])).toBe("b");
    expect(await worker.call("text", ["NET", "http://0x0a.0.1.50:8080/"])).toBe("b");
    await expect(worker.call("text", ["NET", "http://10.0.1.50/"])).rejects.toThrow(
      "ProxyError: destination_ip_prohibited",
    );
  });

  it("follows a redirect to another destination only if it has a route", async () => {
    await using origin = await startHttpOrigin(
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    );
    await using worker = await startTestWorker({
      config: { networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${origin.port}` } } } },
      ops: { text },
    });
    await expect(worker.call("text", ["NET", "http://a.internal/"])).rejects.toThrow(
      "ProxyError: destination_ip_unroutable",
    );
  });

  it("reaches targets that are known only at run time: wildcard, CIDR and passthrough keep the port", async () => {
    await using origin = await startHttpOrigin((request) => ok(header(request, "host") ?? ""));
    const { port } = origin;
    await using worker = await startTestWorker({
      config: {
        networks: {
          [TUNNEL]: {
            routes: { "*.internal": "127.0.0.1", "10.0.0.0/8": "localhost", "127.0.0.0/8": "passthrough" },
          },
        },
      },
      ops: { text },
    });
    for (const host of ["any.internal", "10.1.2.3", "127.0.0.1"]) {
      expect(await worker.call("text", ["NET", `http://${host}:${port}/`])).toBe(`${host}:${port}`);
    }
  });

  it("reaches a unix socket", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "vpc-"));
    try {
      await using origin = await startHttpOrigin(ok("socket"), { path: socketIn(folder, "app.sock") });
      await using worker = await startTestWorker({
        config: { networks: { [TUNNEL]: { routes: { "a.internal": `unix:${socketIn(folder, "app.sock")}` } } } },
        ops: { text },
      });
      expect(await worker.call("text", ["NET", "http://a.internal/"])).toBe("socket");
      expect(origin.requests).toHaveLength(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("cf1:network has the routes of all networks", async () => {
    await using a = await startHttpOrigin(ok("a"));
    await using own = await startHttpOrigin(ok("own"));
    await using worker = await startTestWorker({
      env: { MESH: { type: "vpc-network", networkId: "cf1:network" } },
      config: {
        networks: {
          [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${a.port}`, "both.internal": `127.0.0.1:${a.port}` } },
          "cf1:network": { routes: { "both.internal": `127.0.0.1:${own.port}` } },
        },
      },
      ops: { text },
    });
    expect(await worker.call("text", ["MESH", "http://a.internal/"])).toBe("a");
    expect(await worker.call("text", ["MESH", "http://both.internal/"])).toBe("own");
  });
});

describe.each([
  ["the direct path", (port: number) => `127.0.0.1:${port}`],
  ["the egress proxy", () => "127.0.0.1"],
])("through %s", (_, target) => {
  const config = (port: number): object => ({ networks: { [TUNNEL]: { routes: { "*.internal": target(port) } } } });

  it("returns an origin's error status as a response", async () => {
    await using origin = await startHttpOrigin("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    await using worker = await startTestWorker({
      config: config(origin.port),
      ops: {
        async status(env, port: number) {
          const response = await env.NET.fetch(`http://a.internal:${port}/`);
          return [response.status, response.statusText, await response.text()];
        },
      },
    });
    expect(await worker.call("status", origin.port)).toEqual([503, "Busy", "busy"]);
  });

  it("sends a streamed body while the response arrives", async () => {
    await using server = await startTcpServer((socket) => {
      let isHead = true;
      socket.on("data", (data) => {
        if (isHead) socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        isHead = false;
        const body = /[a-z]-part/.exec(data.toString("latin1"))?.[0];
        if (body !== undefined) socket.write(`${body.length.toString(16)}\r\n${body}\r\n`);
        if (data.includes("b-part")) socket.write("0\r\n\r\n");
      });
    });
    await using worker = await startTestWorker({
      config: config(server.port),
      ops: {
        async duplex(env, port: number) {
          const { readable, writable } = new TransformStream();
          const writer = writable.getWriter();
          void writer.write(new TextEncoder().encode("a-part"));
          const response = await env.NET.fetch(`http://a.internal:${port}/`, { method: "POST", body: readable });
          const reader = response.body.getReader();
          // oxlint-disable-next-line unicorn/consistent-function-scoping -- the function's source is what runs
          const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
          const first = decode((await reader.read()).value);
          await writer.write(new TextEncoder().encode("b-part"));
          await writer.close();
          const second = decode((await reader.read()).value);
          return [first, second, (await reader.read()).done];
        },
      },
    });
    expect(await worker.call("duplex", server.port)).toEqual(["a-part", "b-part", true]);
  });

  describe("loses no POST, and sends none twice", () => {
    const ops = {
      /** Sends `rounds` POSTs in each of `inFlight` loops, with a short body, a streamed one and none in turn. */
      async postMany(env: TestEnv, [port, inFlight, rounds]: [number, number, number]) {
        // oxlint-disable-next-line unicorn/consistent-function-scoping -- the function's source is what runs
        const makeBody = (nth: number): string | ReadableStream | null =>
          nth % 3 === 0 ? "short" : nth % 3 === 1 ? new Blob(["streamed"]).stream() : null;
        const work = async (worker: number): Promise<string[]> => {
          const answers: string[] = [];
          for (let round = 0; round < rounds; round++) {
            const url = `http://a.internal:${port}/${worker}/${round}`;
            const request = new Request(url, { method: "POST", body: makeBody(round) });
            answers.push(await (await env.NET.fetch(request)).text());
          }
          return answers;
        };
        return (await Promise.all(Array.from({ length: inFlight }, (_, worker) => work(worker)))).flat();
      },
    };

    it("if the target closes each connection right after its response", async () => {
      await using origin = await startHttpOrigin((_, socket) => {
        setTimeout(() => socket.destroy(), origin.requests.length % 3);
        return ok("done");
      });
      await using worker = await startTestWorker({ config: config(origin.port), ops });
      const answers = await worker.call<string[]>("postMany", [origin.port, 4, 30]);
      expect(answers).toEqual(Array.from({ length: 120 }, () => "done"));
      expect(new Set(origin.requests.map(requestLine)).size).toBe(120);
      expect(origin.requests.length).toBe(120);
    });

    it("if the target restarts between two of them", async () => {
      const before = await startHttpOrigin(ok("before"));
      await using worker = await startTestWorker({ config: config(before.port), ops });
      const { port } = before;
      await worker.call("postMany", [port, 4, 3]);
      await before[Symbol.asyncDispose]();
      await using after = await startHttpOrigin(ok("after"), { port });
      const answers = await worker.call<string[]>("postMany", [port, 4, 3]);
      expect(answers).toEqual(Array.from({ length: 12 }, () => "after"));
      expect(after.requests.length).toBe(12);
    });

    it("if the target closes idle connections after a time that it doesn't announce", async () => {
      const idle = 250;
      await using origin = await startForgetfulOrigin(idle);
      await using worker = await startTestWorker({
        config: config(origin.port),
        ops: {
          async postAround(env, [port, idle]: [number, number]) {
            const post = async (path: string): Promise<string> => {
              const init = { method: "POST", body: "x" };
              return (await env.NET.fetch(`http://a.internal:${port}${path}`, init)).text();
            };
            const twice = async (nth: number): Promise<string[]> => {
              const first = await post(`/${nth}/first`);
              await new Promise((resolve) => setTimeout(resolve, idle - 8 + nth));
              return [first, await post(`/${nth}/second`)];
            };
            return (await Promise.all(Array.from({ length: 16 }, (_, nth) => twice(nth)))).flat();
          },
        },
      });
      for (let round = 0; round < 3; round++) {
        const answers = await worker.call("postAround", [origin.port, idle]);
        expect(answers).toEqual(Array.from({ length: 32 }, () => "in time"));
      }
      expect(origin.requests.length).toBe(96);
    });
  });

  it("aborts upstream when the Worker aborts", async () => {
    await using server = await startTcpServer();
    await using worker = await startTestWorker({
      config: config(server.port),
      ops: {
        async abort(env, port: number) {
          const controller = new AbortController();
          const pending = env.NET.fetch(`http://a.internal:${port}/`, { signal: controller.signal });
          setTimeout(() => controller.abort(), 500);
          return pending.then(
            () => "answered",
            (error: Error) => error.name,
          );
        },
      },
    });
    expect(await worker.call("abort", server.port)).toBe("AbortError");
    await vi.waitFor(() => expect(server.open.size).toBe(0));
    expect(server.accepted).toBe(1);
  });

  it("upgrades to a WebSocket", async () => {
    const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await new Promise((resolve) => sockets.once("listening", resolve));
    sockets.on("connection", (socket) =>
      socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)),
    );
    const { port } = sockets.address() as { port: number };
    try {
      await using worker = await startTestWorker({
        config: config(port),
        ops: {
          async echo(env, port: number) {
            const response = await env.NET.fetch(`http://a.internal:${port}/`, { headers: { Upgrade: "websocket" } });
            const socket = response.webSocket;
            socket.accept();
            const answer = new Promise((resolve) => {
              socket.addEventListener("message", (event: { data: unknown }) => resolve(event.data));
            });
            socket.send("hello");
            const data = await answer;
            socket.close(1000);
            return [response.status, data];
          },
        },
      });
      expect(await worker.call("echo", port)).toEqual([101, "echo hello"]);
    } finally {
      for (const client of sockets.clients) client.terminate();
      await new Promise((resolve) => sockets.close(resolve));
    }
  });

  it("transfers 16 MiB both ways", async () => {
    await using server = await startTcpServer((socket) => {
      let head = "";
      let remaining = Infinity;
      socket.on("data", (data) => {
        let body = data;
        if (remaining === Infinity) {
          head += data.toString("latin1");
          const end = head.indexOf("\r\n\r\n");
          if (end === -1) return;
          body = Buffer.from(head.slice(end + 4), "latin1");
          remaining = Number(header(head, "content-length"));
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${remaining}\r\n\r\n`);
        }
        remaining -= body.length;
        if (!socket.write(body)) {
          socket.pause();
          socket.once("drain", () => socket.resume());
        }
      });
    });
    await using worker = await startTestWorker({
      config: config(server.port),
      ops: {
        async echo(env, port: number) {
          const sent = new Uint8Array(16 * 1024 * 1024);
          for (let i = 0; i < sent.length; i += 4096) sent[i] = (i / 4096) % 251;
          const response = await env.NET.fetch(`http://a.internal:${port}/`, { method: "POST", body: sent });
          const received = new Uint8Array(await response.arrayBuffer());
          return received.length === sent.length && received.every((byte, index) => byte === sent[index]);
        },
      },
    });
    expect(await worker.call("echo", server.port)).toBe(true);
  });
});

it("does not print a query in the terminal", async () => {
  await using origin = await startHttpOrigin(ok("a"));
  await using worker = await startTestWorker({
    config: { services: { [SERVICE]: `127.0.0.1:${origin.port}` } },
    ops: { text },
  });
  await worker.call("text", ["API", "http://users.internal/list?token=secret"]);
  expect(requestLine(origin.requests[0])).toBe("GET /list?token=secret HTTP/1.1");
  await vi.waitFor(() => expect(worker.output()).toContain("API  GET http://users.internal/list?… → "));
  expect(worker.output()).not.toContain("secret");
});

it("refuses a relative URL", async () => {
  await using worker = await startTestWorker({ config: { services: { [SERVICE]: "127.0.0.1:1" } }, ops: { text } });
  await expect(worker.call("text", ["API", "/users"])).rejects.toThrow(/Invalid URL: \/users/);
});
