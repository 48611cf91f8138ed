/** Error codes from real causes, what the Worker sees and what the developer reads. */

import { describe, expect, it, vi } from "vitest";
import { ok, startHttpOrigin } from "./servers/http-origin.ts";
import { closedPort, echo, startDeafServer, startTcpServer } from "./servers/tcp-server.ts";
import { SERVICE, TUNNEL, type Session, startSession } from "./session.ts";

const ops = {
  // oxlint-disable-next-line typescript/no-explicit-any
  fetch: async (env: any, url: string) => (await env.NET.fetch(url)).text(),
  // oxlint-disable-next-line typescript/no-explicit-any
  connect: async (env: any, address: string) => void (await env.NET.connect(address)),
};

function selfRouted(workerLimit: number): object {
  return { workerLimit, networks: { [TUNNEL]: { routes: { "self.internal": "worker:app" } } } };
}

/** Neither a stack nor a word of the runtime's own may reach the terminal. */
function expectNoStack(session: Session): void {
  expect(session.output()).not.toMatch(/stack:|workerd@|internal error|\n\s+at |Uncaught/i);
}

function network(target: string, connectTimeout = 5000): object {
  return { connectTimeout, networks: { [TUNNEL]: { routes: { "a.internal": target } } } };
}

describe.each(["fetch", "connect"] as const)("%s", (op) => {
  const destination = op === "fetch" ? "http://a.internal:81/" : "a.internal:81";

  it("connection_refused", async () => {
    const port = await closedPort();
    await using session = await startSession({ config: network(`127.0.0.1:${port}`), ops });
    await expect(session.call(op, destination)).rejects.toThrow(/^ProxyError: connection_refused$/);
    expect(session.output()).toMatch(
      new RegExp(
        `NET {2}(GET http://|connect )a\\.internal:81/? → 127\\.0\\.0\\.1:${port} {2}ProxyError: connection_refused\\n` +
          `.*refused the connection: connect ECONNREFUSED 127\\.0\\.0\\.1:${port} \\(route "a\\.internal", .*\\)\\. Start the service`,
      ),
    );
    expectNoStack(session);
  });

  it("connection_timeout after our own limit", async () => {
    await using full = await startDeafServer();
    await using session = await startSession({ config: network(`127.0.0.1:${full.port}`, 600), ops });
    const started = Date.now();
    await expect(session.call(op, destination)).rejects.toThrow(/^ProxyError: connection_timeout$/);
    expect(Date.now() - started).toBeGreaterThanOrEqual(590);
    expect(Date.now() - started).toBeLessThan(3000);
    expect(session.output()).toContain("no connection within 600 ms");
    expectNoStack(session);
  });

  it("destination_not_found and destination_ip_unroutable where no route leads", async () => {
    await using session = await startSession({ config: network("127.0.0.1:1"), ops });
    const other = destination.replace("a.internal", "b.internal");
    await expect(session.call(op, other)).rejects.toThrow(/^ProxyError: destination_not_found$/);
    expect(session.output()).toContain('Add "b.internal": "localhost:81" to "routes"');
    const address = destination.replace("a.internal", "10.1.2.3");
    await expect(session.call(op, address)).rejects.toThrow(/^ProxyError: destination_ip_unroutable$/);
    expectNoStack(session);
  });

  it("a binding without an entry: a warning at the start, a hint at each use", async () => {
    await using session = await startSession({ config: {}, ops });
    expect(session.output()).toMatch(/warning: .*NET/);
    await expect(session.call(op, destination)).rejects.toThrow(/^ProxyError: destination_not_found$/);
    expect(session.output()).toContain(`Add "${TUNNEL}": { "routes": { "a.internal": "localhost:PORT" } }`);
    expectNoStack(session);
  });
});

it("connection_timeout also when the caller that came first gives up", async () => {
  await using full = await startDeafServer();
  await using session = await startSession({
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
  expect(await session.call("give")).toEqual([expect.stringContaining("timeout"), timedOut, timedOut]);
  expectNoStack(session);
});

it("waits for a slow answer of a target that accepted", async () => {
  await using origin = await startHttpOrigin((_, socket) => {
    setTimeout(() => socket.write(ok("slow")), 900);
    return undefined;
  });
  await using session = await startSession({ config: network(`127.0.0.1:${origin.port}`, 300), ops });
  expect(await session.call("fetch", "http://a.internal/")).toBe("slow");
});

it("serves the next request at once after an error", async () => {
  const port = await closedPort();
  await using session = await startSession({ config: network(`127.0.0.1:${port}`), ops });
  await expect(session.call("fetch", "http://a.internal/")).rejects.toThrow("connection_refused");
  await using origin = await startHttpOrigin(ok("up"), { host: "127.0.0.1", port });
  expect(await session.call("fetch", "http://a.internal/")).toBe("up");
  expect(origin.requests).toHaveLength(1);
});

describe("proxy_loop_detected", () => {
  it("stops a Worker that fetches itself", async () => {
    await using session = await startSession({
      config: selfRouted(16),
      ops: {
        loop: async (env, _, request) => (await env.NET.fetch(request.url.replace("//app", "//self.internal"))).text(),
      },
    });
    expect(await session.call("loop")).toContain("ProxyError: proxy_loop_detected");
    expect(session.output()).toContain('16 calls are already in flight to the Worker "app"');
    expectNoStack(session);
    // All have left again: the limit counts what is in flight, not what was.
    expect(await session.call("loop")).toContain("ProxyError: proxy_loop_detected");
  });

  it("stops a Worker that connects to itself", async () => {
    await using session = await startSession({
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
    expect(await session.call("loop")).toBe("ProxyError: proxy_loop_detected");
    await vi.waitFor(() => expect(session.output()).toContain("8 calls are already in flight"));
    expectNoStack(session);
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

  it("end when the caller gives up", async () => {
    await using session = await startSession({
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
      expect(await session.call("giveUp")).toEqual(["rejected", "rejected"]);
    }
    expect(await session.call("get")).toBe("answered");
  });

  it("last until the body ends: a Worker that streams from itself is stopped", async () => {
    await using session = await startSession({
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
    const response = await session.miniflare.dispatchFetch("http://app/stream");
    expect(await response.text()).toBe("ProxyError: proxy_loop_detected");
    expect(session.output()).toContain('16 calls are already in flight to the Worker "app"');
  });
});

describe("calls to a port of this session", () => {
  it("are over when a connection's caller leaves while it is made", async () => {
    await using server = await startTcpServer(echo);
    await using session = await startSession({
      config: { workerLimit: 2, ...network(`localhost:${server.port}`) },
      ops: {
        leave: (env) => void env.NET.connect("a.internal:1"),
        ...ops,
      },
    });
    for (let round = 0; round < 5; round++) await session.call("leave");
    await vi.waitFor(() => expect(session.call("connect", "a.internal:1")).resolves.toBeUndefined());
    expectNoStack(session);
  });

  it("are over when a connection's caller answers without closing it", async () => {
    await using session = await startSession({
      config: { workerLimit: 2, traffic: false, networks: { [TUNNEL]: { routes: { "127.0.0.1": "passthrough" } } } },
      first: `if (new URL(request.url).pathname === "/loop") return env.NET.fetch(request.url);`,
      ops: {
        leave: async (env, address) => void (await env.NET.connect(address).opened),
        hold: async (env, addresses) => {
          const sockets = addresses.map((address: string) => env.NET.connect(address));
          const opened = await Promise.allSettled(sockets.map((socket: { opened: Promise<unknown> }) => socket.opened));
          return opened.map(({ status }) => status);
        },
      },
    });
    const { origin, host } = new URL(await session.miniflare.ready);
    // From here on the port is known as the session's own, and its connections are counted.
    await session.miniflare.dispatchFetch(`${origin}/loop`);
    expect(await session.call("hold", [host, host, host])).toEqual(["fulfilled", "fulfilled", "rejected"]);
    for (let round = 0; round < 5; round++) {
      await vi.waitFor(() => expect(session.call("leave", host)).resolves.toBeUndefined());
    }
    expectNoStack(session);
  });

  it("are over when the caller gives up", async () => {
    await using session = await startSession({
      config: { workerLimit: 2, networks: { [TUNNEL]: { routes: { "127.0.0.1": "passthrough" } } } },
      first: `
        const { pathname } = new URL(request.url);
        if (pathname === "/loop") return env.NET.fetch(request.url);
        if (pathname === "/silent") await scheduler.wait(60_000);
        if (pathname !== "/") return new Response("up");`,
      ops: {
        ...ops,
        giveUp: async (env, url) => env.NET.fetch(url, { signal: AbortSignal.timeout(50) }),
        leave: (env, url) => {
          env.NET.fetch(url).catch(() => undefined);
          return new Promise((resolve) => setTimeout(resolve, 50));
        },
      },
    });
    const origin = new URL(await session.miniflare.ready).href;
    // From here on the port is known as the session's own.
    await session.miniflare.dispatchFetch(`${origin}loop`);
    expect(session.output()).toMatch(/2 calls to port \d+, where this session itself listens/);
    for (let round = 0; round < 3; round++) {
      await expect(session.call("giveUp", `${origin}silent`)).rejects.toThrow("timeout");
      await session.call("leave", `${origin}silent`);
    }
    // Both places that there are.
    const both = Promise.all([1, 2].map(() => session.call("fetch", `${origin}up`)));
    expect(await both).toEqual(["up", "up"]);
  });

  it("that were given up do not make a loop of a target beyond it", async () => {
    await using origin = await startHttpOrigin((request) => (request.startsWith("GET /silent") ? undefined : ok("up")));
    await using session = await startSession({
      config: { workerLimit: 2, ...network(`127.0.0.1:${origin.port}`) },
      ops: {
        ...ops,
        giveUp: async (env) => env.NET.fetch("http://a.internal/silent", { signal: AbortSignal.timeout(50) }),
      },
    });
    for (let round = 0; round < 5; round++) await expect(session.call("giveUp")).rejects.toThrow("timeout");
    const calls = Promise.all([1, 2, 3].map(() => session.call("fetch", "http://a.internal/")));
    expect(await calls).toEqual(["up", "up", "up"]);
  });

  it("are a loop although each makes another call that is answered", async () => {
    await using session = await startSession({
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
    await session.miniflare.dispatchFetch(new URL("/again", await session.miniflare.ready));
    expect(session.output()).toMatch(/8 calls to port \d+, where this session itself listens, wait for one another/);
  });
});

it("keeps the service binding's error the same through a Service", async () => {
  const port = await closedPort();
  await using session = await startSession({
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
  expect(await session.call("shape")).toEqual(["Error: ProxyError: connection_refused", true]);
});

it("lets no target move the terminal's cursor", async () => {
  const escape = "\u001b[2J";
  const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${escape}h2c\r\n\r\n`;
  await using origin = await startHttpOrigin(answer);
  await using session = await startSession({
    config: network(`127.0.0.1:${origin.port}`),
    ops: {
      upgrade: async (env) => (await env.NET.fetch("http://a.internal/", { headers: { Upgrade: "websocket" } })).status,
    },
  });
  await expect(session.call("upgrade")).rejects.toThrow("http_upgrade_failed");
  await vi.waitFor(() => expect(session.output()).toContain("\u{fffd}[2jh2c"));
  expect(session.output()).not.toContain("\u001b");
});
