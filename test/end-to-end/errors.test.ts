/** Error codes from real causes: the Worker's error and the message in the terminal. */

import { describe, expect, it, vi } from "vitest";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort, echo, startDeafServer, startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL, type TestWorker, startTestWorker, type TestEnv } from "../setup/test-worker.ts";

/** What workerd has and Node has not. */
interface Workerd {
  FixedLengthStream: new (length: number) => TransformStream<Uint8Array, Uint8Array>;
}

const ops = {
  fetch: async (env: TestEnv, url: string) => (await env.NET.fetch(url)).text(),
  connect: async (env: TestEnv, address: string) => void (await env.NET.connect(address)),
};

function selfRouted(workerLimit: number): object {
  return { workerLimit, networks: { [TUNNEL]: { routes: { "self.internal": "worker:app" } } } };
}

/** The terminal must show no stack and no message of the runtime. */
function expectNoStack(worker: TestWorker): void {
  expect(worker.output()).not.toMatch(/stack:|workerd@|internal error|\n\s+at |Uncaught/i);
}

function network(target: string, connectTimeout = 5000): object {
  return { connectTimeout, networks: { [TUNNEL]: { routes: { "a.internal": target } } } };
}

describe.each(["fetch", "connect"] as const)("%s", (op) => {
  const destination = op === "fetch" ? "http://a.internal:81/" : "a.internal:81";

  it("connection_refused", async () => {
    const port = await closedPort();
    await using worker = await startTestWorker({ config: network(`127.0.0.1:${port}`), ops });
    await expect(worker.call(op, destination)).rejects.toThrow(/^ProxyError: connection_refused$/);
    expect(worker.output()).toMatch(
      new RegExp(
        `NET {2}(GET http://|connect )a\\.internal:81/? → 127\\.0\\.0\\.1:${port} {2}ProxyError: connection_refused\\n` +
          `.*refused the connection: connect ECONNREFUSED 127\\.0\\.0\\.1:${port} \\(route "a\\.internal", .*\\)\\. Start the service`,
      ),
    );
    expectNoStack(worker);
  });

  it("connection_timeout after our own limit", async () => {
    await using full = await startDeafServer();
    await using worker = await startTestWorker({ config: network(`127.0.0.1:${full.port}`, 600), ops });
    const started = Date.now();
    await expect(worker.call(op, destination)).rejects.toThrow(/^ProxyError: connection_timeout$/);
    expect(Date.now() - started).toBeGreaterThanOrEqual(590);
    expect(Date.now() - started).toBeLessThan(3000);
    expect(worker.output()).toContain("no connection within 600 ms");
    expectNoStack(worker);
  });

  it("destination_not_found and destination_ip_unroutable without a route", async () => {
    await using worker = await startTestWorker({ config: network("127.0.0.1:1"), ops });
    const other = destination.replace("a.internal", "b.internal");
    await expect(worker.call(op, other)).rejects.toThrow(/^ProxyError: destination_not_found$/);
    expect(worker.output()).toContain('Add "b.internal": "localhost:81" to "routes"');
    const address = destination.replace("a.internal", "10.1.2.3");
    await expect(worker.call(op, address)).rejects.toThrow(/^ProxyError: destination_ip_unroutable$/);
    expectNoStack(worker);
  });

  it("a binding without an entry: a warning at the start, and a hint at each call", async () => {
    await using worker = await startTestWorker({ config: {}, ops });
    expect(worker.output()).toMatch(/warning: .*NET/);
    await expect(worker.call(op, destination)).rejects.toThrow(/^ProxyError: destination_not_found$/);
    expect(worker.output()).toContain(`Add "${TUNNEL}": { "routes": { "a.internal": "localhost:PORT" } }`);
    expectNoStack(worker);
  });
});

it("connection_timeout even if the first caller gives up", async () => {
  await using full = await startDeafServer();
  await using worker = await startTestWorker({
    config: network(`127.0.0.1:${full.port}`, 600),
    ops: {
      async give(env) {
        const first = env.NET.fetch("http://a.internal/", { signal: AbortSignal.timeout(20) });
        const calls = [first, env.NET.fetch("http://a.internal/"), env.NET.fetch("http://a.internal/")];
        const results = await Promise.allSettled(calls);
        return results.map((result) => result.status === "rejected" && result.reason.message);
      },
    },
  });
  const timedOut = "ProxyError: connection_timeout";
  expect(await worker.call("give")).toEqual([expect.stringContaining("timeout"), timedOut, timedOut]);
  expectNoStack(worker);
});

it("waits for the slow response of a target that accepted", async () => {
  await using origin = await startHttpOrigin((_, socket) => {
    setTimeout(() => socket.write(ok("slow")), 900);
    return undefined;
  });
  await using worker = await startTestWorker({ config: network(`127.0.0.1:${origin.port}`, 300), ops });
  expect(await worker.call("fetch", "http://a.internal/")).toBe("slow");
});

it("serves the next request at once after an error", async () => {
  const port = await closedPort();
  await using worker = await startTestWorker({ config: network(`127.0.0.1:${port}`), ops });
  await expect(worker.call("fetch", "http://a.internal/")).rejects.toThrow("connection_refused");
  await using origin = await startHttpOrigin(ok("up"), { host: "127.0.0.1", port });
  expect(await worker.call("fetch", "http://a.internal/")).toBe("up");
  expect(origin.requests).toHaveLength(1);
});

describe("proxy_loop_detected", () => {
  it("stops a Worker that fetches itself", async () => {
    await using worker = await startTestWorker({
      config: selfRouted(16),
      ops: {
        loop: async (env, _, request) => (await env.NET.fetch(request.url.replace("//app", "//self.internal"))).text(),
      },
    });
    expect(await worker.call("loop")).toContain("ProxyError: proxy_loop_detected");
    expect(worker.output()).toContain('16 calls are already in flight to the Worker "app"');
    expectNoStack(worker);
    // Again, because the limit only counts calls in flight.
    expect(await worker.call("loop")).toContain("ProxyError: proxy_loop_detected");
  });

  it("stops a Worker that connects to itself", async () => {
    await using worker = await startTestWorker({
      config: selfRouted(8),
      handlers: `async connect(socket, env) {
        const next = env.NET.connect("self.internal:1");
        try { await next.opened; await next.readable.pipeTo(socket.writable); }
        catch (error) {
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode(error.message));
          await writer.close();
        }
      },`,
      ops: {
        loop: async (env) => new Response((await env.NET.connect("self.internal:1")).readable).text(),
      },
    });
    expect(await worker.call("loop")).toBe("ProxyError: proxy_loop_detected");
    await vi.waitFor(() => expect(worker.output()).toContain("8 calls are already in flight"));
    expectNoStack(worker);
  });
});

describe("calls in flight to a Worker", () => {
  const slow = {
    config: {
      name: "slow",
      compatibilityDate: "2026-11-01",
      manifest: {
        mainModule: "main.js",
        modules: {
          "main.js": {
            type: "esm" as const,
            contents: `export default {
              async fetch(request) {
                if (request.url.endsWith("/slow")) await scheduler.wait(2000);
                return new Response("answered");
              }
            }`,
          },
        },
      },
    },
  };

  it("no longer count when the caller gives up", async () => {
    await using worker = await startTestWorker({
      config: { workerLimit: 2, networks: { [TUNNEL]: { routes: { "slow.internal": "worker:slow" } } } },
      workers: [slow],
      ops: {
        async giveUp(env) {
          const calls = [1, 2].map(() =>
            env.NET.fetch("http://slow.internal/slow", { signal: AbortSignal.timeout(50) }),
          );
          return (await Promise.allSettled(calls)).map(({ status }) => status);
        },
        get: async (env) => (await env.NET.fetch("http://slow.internal/")).text(),
      },
    });
    for (let round = 0; round < 3; round++) {
      expect(await worker.call("giveUp")).toEqual(["rejected", "rejected"]);
    }
    expect(await worker.call("get")).toBe("answered");
  });

  it("count until the body ends, so a Worker that streams from itself is stopped", async () => {
    await using worker = await startTestWorker({
      config: selfRouted(16),
      ops: {
        async stream(env, _, request) {
          const response = await env.NET.fetch(request.url.replace("//app", "//self.internal"));
          return response.text();
        },
      },
      prelude: `const direct = {
        async fetch(request, env, ctx) {
          const { readable, writable } = new TransformStream();
          const pump = async () => {
            try {
              const next = await env.NET.fetch("http://self.internal/stream");
              await next.body.pipeTo(writable);
            } catch (error) {
              const writer = writable.getWriter();
              await writer.write(new TextEncoder().encode(error.message));
              await writer.close();
            }
          };
          ctx.waitUntil(pump());
          return new Response(readable);
        }
      };`,
      first: `if (new URL(request.url).pathname === "/stream") return direct.fetch(request, env, ctx);`,
    });
    const response = await worker.miniflare.dispatchFetch("http://app/stream");
    expect(await response.text()).toBe("ProxyError: proxy_loop_detected");
    expect(worker.output()).toContain('16 calls are already in flight to the Worker "app"');
  });
});

describe("calls to a port of this session", () => {
  it("no longer count when the caller ends before the connection is open", async () => {
    await using server = await startTcpServer(echo);
    await using worker = await startTestWorker({
      config: { workerLimit: 2, ...network(`localhost:${server.port}`) },
      ops: {
        leave: (env) => void env.NET.connect("a.internal:1"),
        ...ops,
      },
    });
    for (let round = 0; round < 5; round++) await worker.call("leave");
    await vi.waitFor(() => expect(worker.call("connect", "a.internal:1")).resolves.toBeUndefined());
    expectNoStack(worker);
  });

  it("no longer count when the caller answers without closing its connection", async () => {
    await using worker = await startTestWorker({
      config: { workerLimit: 2, traffic: false, networks: { [TUNNEL]: { routes: { "127.0.0.1": "passthrough" } } } },
      first: `if (new URL(request.url).pathname === "/loop") return env.NET.fetch(request.url);`,
      ops: {
        leave: async (env, address: string) => void (await env.NET.connect(address).opened),
        hold: async (env, addresses: string[]) => {
          const sockets = addresses.map((address) => env.NET.connect(address));
          const opened = await Promise.allSettled(sockets.map((socket) => socket.opened));
          return opened.map(({ status }) => status);
        },
      },
    });
    const { origin, host } = new URL(await worker.miniflare.ready);
    // From now on, the session knows that the port is its own, and counts its connections.
    await worker.miniflare.dispatchFetch(`${origin}/loop`);
    expect(await worker.call("hold", [host, host, host])).toEqual(["fulfilled", "fulfilled", "rejected"]);
    for (let round = 0; round < 5; round++) {
      await vi.waitFor(() => expect(worker.call("leave", host)).resolves.toBeUndefined());
    }
    expectNoStack(worker);
  });

  it("no longer count when the caller gives up", async () => {
    await using worker = await startTestWorker({
      config: { workerLimit: 2, networks: { [TUNNEL]: { routes: { "127.0.0.1": "passthrough" } } } },
      first: `
        const { pathname } = new URL(request.url);
        if (pathname === "/loop") return env.NET.fetch(request.url);
        if (pathname === "/silent") await scheduler.wait(60_000);
        if (pathname !== "/") return new Response("up");`,
      ops: {
        ...ops,
        giveUp: async (env, url: string) => env.NET.fetch(url, { signal: AbortSignal.timeout(50) }),
        leave: (env, url: string) => {
          env.NET.fetch(url).catch(() => undefined);
          return new Promise((resolve) => setTimeout(resolve, 50));
        },
      },
    });
    const origin = new URL(await worker.miniflare.ready).href;
    // From now on, the session knows that the port is its own.
    await worker.miniflare.dispatchFetch(`${origin}loop`);
    expect(worker.output()).toMatch(/2 calls to port \d+, where this session itself listens/);
    for (let round = 0; round < 3; round++) {
      await expect(worker.call("giveUp", `${origin}silent`)).rejects.toThrow("timeout");
      await worker.call("leave", `${origin}silent`);
    }
    // As many calls as the limit allows.
    const both = Promise.all([1, 2].map(() => worker.call("fetch", `${origin}up`)));
    expect(await both).toEqual(["up", "up"]);
  });

  it("that callers gave up are not mistaken for a loop", async () => {
    await using origin = await startHttpOrigin((request) => (request.startsWith("GET /silent") ? undefined : ok("up")));
    await using worker = await startTestWorker({
      config: { workerLimit: 2, ...network(`127.0.0.1:${origin.port}`) },
      ops: {
        ...ops,
        giveUp: async (env) => env.NET.fetch("http://a.internal/silent", { signal: AbortSignal.timeout(50) }),
      },
    });
    for (let round = 0; round < 5; round++) await expect(worker.call("giveUp")).rejects.toThrow("timeout");
    const calls = Promise.all([1, 2, 3].map(() => worker.call("fetch", "http://a.internal/")));
    expect(await calls).toEqual(["up", "up", "up"]);
  });

  it("are a loop even if each makes another call that is answered", async () => {
    await using worker = await startTestWorker({
      config: { workerLimit: 8, networks: { [TUNNEL]: { routes: { "127.0.0.1": "passthrough" } } } },
      first: `
        const { pathname, origin } = new URL(request.url);
        if (pathname === "/answered") return new Response("answered");
        if (pathname.startsWith("/again")) {
          await (await env.NET.fetch(origin + "/answered")).text();
          if (pathname.length < 100) return env.NET.fetch(origin + pathname + "+");
        }`,
      ops,
    });
    await worker.miniflare.dispatchFetch(new URL("/again", await worker.miniflare.ready));
    expect(worker.output()).toMatch(/8 calls to port \d+, where this session itself listens, wait for each other/);
  });
});

it("throws the same error from a VPC Service", async () => {
  const port = await closedPort();
  await using worker = await startTestWorker({
    config: { services: { [SERVICE]: `127.0.0.1:${port}` } },
    ops: {
      async shape(env) {
        try {
          await env.API.fetch("http://x/");
          return "answered";
        } catch (error) {
          return [String(error), error instanceof Error];
        }
      },
    },
  });
  expect(await worker.call("shape")).toEqual(["Error: ProxyError: connection_refused", true]);
});

it("removes control characters of a target from the terminal", async () => {
  const escape = "\u001b[2J";
  const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${escape}h2c\r\n\r\n`;
  await using origin = await startHttpOrigin(answer);
  await using worker = await startTestWorker({
    config: network(`127.0.0.1:${origin.port}`),
    ops: {
      upgrade: async (env) => (await env.NET.fetch("http://a.internal/", { headers: { Upgrade: "websocket" } })).status,
    },
  });
  await expect(worker.call("upgrade")).rejects.toThrow("http_upgrade_failed");
  await vi.waitFor(() => expect(worker.output()).toContain("\u{fffd}[2jh2c"));
  expect(worker.output()).not.toContain("\u001b");
});

describe.each([
  ["the direct path", (port: number) => `127.0.0.1:${port}`],
  ["the egress proxy", () => "127.0.0.1"],
])("a silent target through %s", (_, target) => {
  it(
    "is reported once after five seconds, and a caller that gives up is always reported",
    { timeout: 30_000 },
    async () => {
      await using silent = await startTcpServer();
      const routes = { "*.internal": target(silent.port) };
      await using worker = await startTestWorker({
        config: { networks: { [TUNNEL]: { routes } } },
        ops: {
          wait: async (env, [port, time]: [number, number]) =>
            env.NET.fetch(`http://a.internal:${port}/x?token=secret`, { signal: AbortSignal.timeout(time) }).then(
              () => "answered",
              (error: Error) => error.name,
            ),
        },
      });
      const url = `http://a.internal:${silent.port}/x?…`;
      const at = `127.0.0.1:${silent.port}`;
      const givenUp = `NET  GET ${url} → ${at}  given up by its caller after `;
      const times = (): number[] =>
        worker
          .output()
          .split(givenUp)
          .slice(1)
          .map((rest) => Number.parseInt(rest, 10));
      expect(await worker.call("wait", [silent.port, 500])).toBe("TimeoutError");
      await vi.waitFor(() => expect(times()).toHaveLength(1), 5000);
      expect(worker.output()).not.toContain("waiting for");
      expect(await worker.call("wait", [silent.port, 6500])).toBe("TimeoutError");
      await vi.waitFor(() => expect(times()).toHaveLength(2), 5000);
      expect(times()[0]).toBeGreaterThan(50);
      expect(times()[1]).toBeGreaterThan(5000);
      expect(worker.output().split(`NET  GET ${url}  waiting for ${at} for 5 s`)).toHaveLength(2);
      await vi.waitFor(() => expect(silent.open.size).toBe(0));
    },
  );
});

describe.each([
  ["the direct path", (port: number) => `127.0.0.1:${port}`],
  ["the egress proxy", () => "127.0.0.1"],
])("through %s", (_, target) => {
  it("http_request_error if an upload ends before its Content-Length", async () => {
    await using silent = await startTcpServer();
    await using worker = await startTestWorker({
      config: { networks: { [TUNNEL]: { routes: { "*.internal": target(silent.port) } } } },
      ops: {
        async upload(env, port: number) {
          const { FixedLengthStream } = globalThis as unknown as Workerd;
          const { readable, writable } = new FixedLengthStream(1000);
          const writer = writable.getWriter();
          const part = writer.write(new Uint8Array(10)).then(() => writer.close());
          part.catch(() => undefined);
          await env.NET.fetch(`http://a.internal:${port}/`, { method: "POST", body: readable });
        },
      },
    });
    await expect(worker.call("upload", silent.port)).rejects.toThrow(/^ProxyError: http_request_error$/);
    expect(worker.output()).toContain("the request's body was not sent completely");
    await vi.waitFor(() => expect(silent.open.size).toBe(0));
  });
});
