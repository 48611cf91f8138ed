/** `connect()`: its promise, its errors, half-close, and a binding in other hands. */

import { describe, expect, it, vi } from "vitest";
import { closedPort, echo, startTcpServer } from "../servers/tcp-server.ts";
import {
  SERVICE,
  TUNNEL,
  startTestWorker,
  type TestEnv,
  type DurableObjects,
  type VpcFetcher,
} from "../setup/test-worker.ts";

/** The server of the documented example: answers `+PONG` to each `PING`, and ends when the client does. */
function startPong(): ReturnType<typeof startTcpServer> {
  return startTcpServer((socket) => {
    socket.on("data", (data) => {
      if (data.toString() === "PING\r\n") socket.write("+PONG\r\n");
    });
    socket.on("end", () => socket.end());
  });
}

describe.each([
  ["a string", "10.0.1.50:6379"],
  ["a SocketAddress", { hostname: "10.0.1.50", port: 6379 }],
])("the documented PING with %s", (_, address) => {
  it.each(["await connect()", "await opened"])("with %s", async (style) => {
    await using server = await startPong();
    await using worker = await startTestWorker({
      config: { networks: { [TUNNEL]: { routes: { "10.0.1.50:6379": `127.0.0.1:${server.port}` } } } },
      ops: {
        async ping(env, { address, style }: { address: string; style: string }) {
          const socket = style === "await connect()" ? await env.NET.connect(address) : env.NET.connect(address);
          const { remoteAddress } = await socket.opened;
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode("PING\r\n"));
          await writer.close();
          return [remoteAddress, await new Response(socket.readable).text()];
        },
      },
    });
    expect(await worker.call("ping", { address, style })).toEqual(["10.0.1.50:6379", "+PONG\r\n"]);
    await vi.waitFor(() => expect(server.open.size).toBe(0));
    await vi.waitFor(() =>
      expect(worker.output()).toMatch(/NET {2}connect 10\.0\.1\.50:6379 → 127\.0\.0\.1:\d+ {2}↑ 6 B ↓ 7 B {2}\d+ ms/),
    );
  });
});

it("rejects with the same error in both styles, without an unhandled rejection", async () => {
  const port = await closedPort();
  await using worker = await startTestWorker({
    config: {
      networks: {
        [TUNNEL]: {
          routes: { "refused.internal": `127.0.0.1:${port}`, "denied.internal": { deny: "destination_unavailable" } },
        },
      },
    },
    prelude: `const unhandled = []; addEventListener("unhandledrejection", (event) => unhandled.push(String(event.reason)));`,
    ops: {
      async failures(env, address: string) {
        // oxlint-disable-next-line unicorn/consistent-function-scoping -- the function's source is what runs
        const of = (promise: Promise<unknown>): Promise<string> => promise.then(() => "open", String);
        const awaited = of((async () => env.NET.connect(address))());
        const socket = env.NET.connect(address);
        const opened = of(socket.opened);
        const closed = of(socket.closed);
        const together = of(Promise.all([env.NET.connect(address), env.NET.connect(address)]));
        return Promise.all([awaited, opened, closed, together]);
      },
      async dropped(env, address: string) {
        void env.NET.connect(address);
        env.NET.connect(address).opened.catch(() => "handled");
        await new Promise((resolve) => setTimeout(resolve, 100));
        // @ts-expect-error: defined in the prelude
        return unhandled;
      },
    },
  });
  const refused = "Error: ProxyError: connection_refused";
  const denied = "Error: ProxyError: destination_unavailable";
  expect(await worker.call("failures", "refused.internal:1")).toEqual([refused, refused, refused, refused]);
  expect(await worker.call("failures", "denied.internal:1")).toEqual([denied, denied, denied, denied]);
  expect(await worker.call("dropped", "refused.internal:1")).toEqual([]);
});

it.each([
  ["db.internal", 'the address "db.internal" has no port; write "host:port".'],
  ["db.internal:0", 'the address "db.internal:0" has the port 0, which is not between 1 and 65535; write "host:port".'],
  ["db:70000", 'the address "db:70000" has the port 70000, which is not between 1 and 65535; write "host:port".'],
  [":80", 'the address ":80" has a host that is empty; write "host:port".'],
  [{ hostname: "db", port: 0 }, "the address has the port 0, which is not between 1 and 65535."],
  [{ hostname: "db", port: "x" }, 'the address has the port "x", which is not a number.'],
  [{ hostname: "", port: 80 }, 'the hostname "" is empty.'],
  [{ hostname: 5, port: 80 }, "the hostname is 5, which is not a string."],
  [{ hostname: "db" }, 'the address is neither "host:port" nor { hostname, port }.'],
  [null, 'the address is neither "host:port" nor { hostname, port }.'],
])("throws a TypeError with a message on %j", async (address, message) => {
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: {} } },
    ops: { connect: (env, to: string) => env.NET.connect(to) },
  });
  const error: unknown = await worker.call("connect", address).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "TypeError", message: `connect(): ${message}` });
});

it.each(["2021-01-01", "2022-06-01", "2023-05-18"])("works on compatibility date %s", async (compatibilityDate) => {
  await using server = await startPong();
  await using worker = await startTestWorker({
    compatibilityDate,
    config: { networks: { [TUNNEL]: { routes: { "fd00::1": `127.0.0.1:${server.port}` } } } },
    ops: {
      async ping(env) {
        const socket = await env.NET.connect("[FD00:0:0::1]:6379");
        const writer = socket.writable.getWriter();
        await writer.write(new TextEncoder().encode("PING\r\n"));
        await writer.close();
        return new Response(socket.readable).text();
      },
      bad: (env) => env.NET.connect("db"),
    },
  });
  expect(await worker.call("ping")).toBe("+PONG\r\n");
  await expect(worker.call("bad")).rejects.toThrow(/has no port/);
});

it("reaches names of any length that the runtime accepts", async () => {
  await using server = await startPong();
  const labels = Array.from({ length: 5 }, () => "a".repeat(50)).join(".");
  const names = [200, 223, 224, 249].map((length) => `${labels.slice(-(length - 9))}.internal`);
  await using worker = await startTestWorker({
    config: {
      networks: { [TUNNEL]: { routes: Object.fromEntries(names.map((name) => [name, `127.0.0.1:${server.port}`])) } },
    },
    ops: {
      async ping(env, name: string) {
        const socket = await env.NET.connect({ hostname: name, port: 6379 });
        const writer = socket.writable.getWriter();
        await writer.write(new TextEncoder().encode("PING\r\n"));
        await writer.close();
        return new Response(socket.readable).text();
      },
    },
  });
  for (const name of names) expect([name.length, await worker.call("ping", name)]).toEqual([name.length, "+PONG\r\n"]);
});

it("refuses an invalid host", async () => {
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: { routes: { "*.internal": "127.0.0.1:1" } } } },
    ops: { connect: (env) => env.NET.connect("a..internal:1") },
  });
  await expect(worker.call("connect")).rejects.toThrow("ProxyError: destination_not_found");
  expect(worker.output()).toContain("has a host that has an empty label");
});

it.each(["on", "starttls"])("refuses secureTransport %s with a TypeError", async (secureTransport) => {
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: {} } },
    ops: { connect: (env, transport: string) => env.NET.connect("db:1", { secureTransport: transport }) },
  });
  await expect(worker.call("connect", secureTransport)).rejects.toThrow(/plaintext TCP only/);
});

describe("on a VPC Service", () => {
  it("uses a tcp service's host and port instead of the address's, and warns once", async () => {
    await using server = await startPong();
    await using worker = await startTestWorker({
      config: {
        services: {
          [SERVICE]: {
            name: "cache",
            type: "tcp",
            tcp_port: 6379,
            host: { ipv4: "10.0.1.50", network: { tunnel_id: TUNNEL } },
          },
        },
        networks: { [TUNNEL]: { routes: { "10.0.1.50:6379": `127.0.0.1:${server.port}` } } },
      },
      ops: {
        async ping(env) {
          const socket = await env.API.connect("anything.example:1");
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode("PING\r\n"));
          await writer.close();
          return new Response(socket.readable).text();
        },
        fetch: (env) => env.API.fetch("http://x/"),
      },
    });
    expect(await worker.call("ping")).toBe("+PONG\r\n");
    expect(await worker.call("ping")).toBe("+PONG\r\n");
    expect(worker.output().match(/documented for VPC Networks only/g)).toHaveLength(1);
    expect(worker.output().match(/API {2}the address's port 1 is ignored: .* \(warned once\)/g)).toHaveLength(1);
    await expect(worker.call("fetch")).rejects.toThrow("ProxyError: http_request_denied");
  });

  it("is refused by an http service", async () => {
    await using worker = await startTestWorker({
      config: { services: { [SERVICE]: "http://localhost:1" } },
      ops: { connect: (env) => env.API.connect("x:1") },
    });
    await expect(worker.call("connect")).rejects.toThrow("ProxyError: destination_not_found");
    expect(worker.output()).toContain("this is an http service without a TCP port");
  });
});

it("can still write after the other side closed its half", async () => {
  const received: string[] = [];
  await using server = await startTcpServer((socket) => {
    socket.end("bye");
    socket.on("data", (data) => received.push(data.toString()));
  });
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${server.port}` } } } },
    ops: {
      async late(env) {
        const socket = await env.NET.connect("a.internal:1", { allowHalfOpen: true });
        const greeting = await new Response(socket.readable).text();
        const writer = socket.writable.getWriter();
        await writer.write(new TextEncoder().encode("still here"));
        await writer.close();
        return greeting;
      },
    },
  });
  expect(await worker.call("late")).toBe("bye");
  await vi.waitFor(() => expect(received.join("")).toBe("still here"));
});

it("pauses a writer whose reader is slow", async () => {
  await using server = await startTcpServer((socket) => socket.pause());
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${server.port}` } } } },
    ops: {
      async flood(env) {
        const socket = await env.NET.connect("a.internal:1");
        const writer = socket.writable.getWriter();
        const chunk = new Uint8Array(1024 * 1024);
        for (let written = 0; written < 256; written++) {
          const isStuck = await Promise.race([
            writer.write(chunk).then(() => false),
            new Promise((resolve) => setTimeout(() => resolve(true), 500)),
          ]);
          if (isStuck) return written;
        }
        return "never paused";
      },
    },
  });
  expect(await worker.call("flood")).toBeLessThan(64);
});

it("serves 200 sockets at once", async () => {
  await using server = await startTcpServer(echo);
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${server.port}` } } } },
    ops: {
      async many(env) {
        const sockets = await Promise.all(Array.from({ length: 200 }, () => env.NET.connect("a.internal:1")));
        const answers = await Promise.all(
          sockets.map(async (socket, index) => {
            const writer = socket.writable.getWriter();
            const reader = socket.readable.getReader();
            await writer.write(new TextEncoder().encode(`socket ${index}`));
            const { value } = await reader.read();
            return new TextDecoder().decode(value) === `socket ${index}`;
          }),
        );
        await Promise.all(sockets.map((socket) => socket.close()));
        return answers.filter(Boolean).length;
      },
    },
  });
  expect(await worker.call("many")).toBe(200);
  await vi.waitFor(() => expect(server.open.size).toBe(0));
});

it("warns once if a request has more than six connections at a time; seven in turn, or of several requests, are fine", async () => {
  await using server = await startTcpServer(echo);
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${server.port}` } } } },
    ops: {
      async atOnce(env, count: number) {
        const sockets = await Promise.all(Array.from({ length: count }, () => env.NET.connect("a.internal:1")));
        await Promise.all(sockets.map((socket) => socket.close()));
      },
      async inTurn(env) {
        for (let made = 0; made < 7; made++) await (await env.NET.connect("a.internal:1")).close();
      },
    },
  });
  const warnings = (): string[] => worker.output().match(/A request has 7 connections .*/g) ?? [];
  await worker.call("inTurn");
  await Promise.all([worker.call("atOnce", 6), worker.call("atOnce", 6)]);
  expect(warnings()).toEqual([]);
  await worker.call("atOnce", 8);
  await worker.call("atOnce", 8);
  await vi.waitFor(() => expect(warnings()).toHaveLength(1));
});

describe("a binding in other hands", () => {
  const prelude = `
    import { WorkerEntrypoint, DurableObject } from "cloudflare:workers";
    const read = async (binding, address) => {
      const socket = binding.connect(address);
      const writer = socket.writable.getWriter();
      await writer.write(new TextEncoder().encode("PING\\r\\n"));
      await writer.close();
      return new Response(socket.readable).text();
    };
    export class Receiver extends WorkerEntrypoint {
      fetch() { return new Response(); }
      async ping(binding, address) { return read(binding, address); }
      async get(binding, url) { return (await binding.fetch(url)).text().catch(String); }
    }
    export class Room extends DurableObject {
      async own() { return read(await this.env.NET, "10.0.1.50:6379"); }
    }
  `;

  interface Receiver {
    ping(binding: VpcFetcher, address: string): Promise<unknown>;
    get(binding: VpcFetcher, url: string): Promise<unknown>;
  }

  it("keeps its rules over RPC and in a Durable Object", async () => {
    await using server = await startPong();
    await using worker = await startTestWorker<
      TestEnv & { RECEIVER: Receiver; ROOM: DurableObjects<{ own(): unknown }> }
    >({
      config: { networks: { [TUNNEL]: { routes: { "10.0.1.50:6379": `127.0.0.1:${server.port}` } } } },
      prelude,
      env: {
        NET: { type: "vpc-network", tunnelId: TUNNEL },
        RECEIVER: { type: "worker", worker: "app", exportName: "Receiver" },
        ROOM: { type: "durable-object", worker: "app", exportName: "Room" },
      },
      exports: { Room: { type: "durable-object", storage: "sqlite" } },
      ops: {
        rpc: (env, address: string) => env.RECEIVER.ping(env.NET, address),
        rpcFetch: (env, url: string) => env.RECEIVER.get(env.NET, url),
        room: (env) => env.ROOM.get(env.ROOM.idFromName("a")).own(),
      },
    });
    expect(await worker.call("rpc", "10.0.1.50:6379")).toBe("+PONG\r\n");
    expect(await worker.call("room")).toBe("+PONG\r\n");
    // The native connect() of a stub resolves at once. A refusal appears as the end of the stream.
    const refused = await worker.call("rpc", `127.0.0.1:${server.port}`).catch(() => "");
    expect(refused).toBe("");
    expect(worker.output()).toContain("ProxyError: destination_ip_unroutable");
    await expect(worker.call("rpcFetch", `http://127.0.0.1:${server.port}/`)).rejects.toThrow(
      "ProxyError: destination_ip_unroutable",
    );
  });
});
