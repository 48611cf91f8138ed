/** `connect()` of code in Node: the bindings of `mf.getBindings()` and of `getPlatformProxy`. */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import path from "node:path";
import { connectVpc, resetPeer } from "miniflare-vpc/test/node";
import { getPlatformProxy } from "miniflare-vpc/wrangler";
import type { MiniflareOptions } from "miniflare";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { VpcConfig } from "../../plugin/config.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort, echo, reset, startTcpServer, type TestServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL, startTestWorker, type VpcFetcher, type VpcSocket } from "../setup/test-worker.ts";
import { createProject } from "../wrangler/temporary-project.ts";

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
const read = (socket: { readable: ReadableStream<Uint8Array> }): Promise<string> =>
  new Response(socket.readable).text();

/** Answers `PING` at the end of what it got. */
function pong(socket: Socket): void {
  socket.once("data", () => socket.end("PONG"));
}

/** Sends without end, whatever the other side does. */
function pour(socket: Socket): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
  };
  socket.on("drain", more).resume();
  more();
}

interface Targets extends AsyncDisposable {
  config: VpcConfig;
  pouring: TestServer;
  silent: TestServer;
}

async function startTargets(): Promise<Targets> {
  await using stack = new AsyncDisposableStack();
  const start = async (serve?: (socket: Socket) => void): Promise<TestServer> =>
    stack.use(await startTcpServer(serve, { allowHalfOpen: serve !== undefined }));
  const [echoing, ponging, resetting, pouring, silent] = await Promise.all([
    start(echo),
    start(pong),
    start(reset),
    start(pour),
    start(),
  ]);
  const kept = stack.move();
  return {
    pouring,
    silent,
    config: {
      networks: {
        [TUNNEL]: {
          routes: {
            "echo.internal": `127.0.0.1:${echoing.port}`,
            "fd00::1": `127.0.0.1:${echoing.port}`,
            [`${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(60)}`]: `127.0.0.1:${echoing.port}`,
            "pong.internal": `127.0.0.1:${ponging.port}`,
            "reset.internal": `127.0.0.1:${resetting.port}`,
            "pour.internal": `127.0.0.1:${pouring.port}`,
            "silent.internal": `127.0.0.1:${silent.port}`,
            "down.internal": `127.0.0.1:${await closedPort()}`,
            "denied.internal": { deny: "destination_ip_prohibited" },
            "function.internal": { connect: (socket) => void socket.end("from a function") },
          },
        },
      },
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const OTHER = `export default { async connect(socket) {
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode("from a Worker"));
  await writer.close();
} };`;

const other = {
  config: {
    name: "other",
    compatibilityDate: "2026-11-01",
    compatibilityFlags: ["experimental"],
    manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm", contents: OTHER } } },
    env: { NET: { type: "vpc-network", tunnelId: TUNNEL } },
  },
};

interface Way extends AsyncDisposable {
  NET: VpcFetcher;
}

const WAYS: [way: string, start: (config: VpcConfig) => Promise<Way>][] = [
  [
    "mf.getBindings()",
    async (config) => {
      const worker = await startTestWorker({ config, ops: {}, workers: [other] as MiniflareOptions["workers"] });
      const { NET } = await worker.miniflare.getBindings<{ NET: VpcFetcher }>();
      return { NET, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
    },
  ],
  [
    "mf.getBindings() of another Worker, without traffic lines",
    async (config) => {
      const quiet = { ...config, traffic: false };
      const worker = await startTestWorker({ config: quiet, ops: {}, workers: [other] as MiniflareOptions["workers"] });
      const { NET } = await worker.miniflare.getBindings<{ NET: VpcFetcher }>("other");
      return { NET, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
    },
  ],
  [
    "getPlatformProxy",
    async (config) => {
      using project = createProject({
        "wrangler.jsonc": {
          name: "other",
          main: "index.js",
          compatibility_date: "2026-08-01",
          compatibility_flags: ["experimental"],
          vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL }],
        },
        "index.js": OTHER,
      });
      const { env, dispose } = await getPlatformProxy<{ NET: VpcFetcher }>({
        configPath: path.join(project.folder, "wrangler.jsonc"),
        persist: false,
        vpc: { config },
      });
      return { NET: env.NET, [Symbol.asyncDispose]: dispose };
    },
  ],
];

/** A socket that is closed at the end of the block. */
async function closable(NET: VpcFetcher, address: string): Promise<VpcSocket & AsyncDisposable> {
  const socket = await NET.connect(address);
  return Object.assign(socket, { [Symbol.asyncDispose]: () => socket.close() });
}

describe.each(WAYS)("%s", (_way, start) => {
  const stack = new AsyncDisposableStack();
  let targets: Targets;
  let NET: VpcFetcher;

  beforeAll(async () => {
    targets = stack.use(await startTargets());
    ({ NET } = stack.use(await start(targets.config)));
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  it.each([
    ["down.internal:1", "connection_refused"],
    ["denied.internal:1", "destination_ip_prohibited"],
    ["unknown.internal:1", "destination_not_found"],
    ["10.1.2.3:1", "destination_ip_unroutable"],
  ])("to %s rejects everything with %s", async (address, code) => {
    const message = `ProxyError: ${code}`;
    await expect(Promise.resolve(NET.connect(address))).rejects.toThrow(message);
    const socket = NET.connect(address);
    await expect(socket.opened).rejects.toThrow(message);
    await expect(socket.closed).rejects.toThrow(message);
    await expect(socket.readable.getReader().read()).rejects.toThrow(message);
    await expect(socket.writable.getWriter().write(text("x"))).rejects.toThrow(message);
    await expect(socket.close()).rejects.toThrow(message);
  });

  it("writes, ends its half, and reads the rest", async () => {
    const socket = await NET.connect({ hostname: "echo.internal", port: 5432 });
    expect(await socket.opened).toEqual({ remoteAddress: "echo.internal:5432" });
    const writer = socket.writable.getWriter();
    await writer.write(text("one "));
    await writer.write(text("two"));
    await writer.close();
    expect(await read(socket)).toBe("one two");
    await socket.closed;
  });

  it("is usable before it is open, as the documentation's example does", async () => {
    const socket = NET.connect("echo.internal:6379");
    const writer = socket.writable.getWriter();
    const written = writer.write(text("PING\r\n")).then(() => writer.close());
    expect(await read(socket)).toBe("PING\r\n");
    await written;
  });

  it.each(["[fd00::1]:80", `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(60)}:65535`])(
    "reaches %s",
    async (address) => {
      const socket = await NET.connect(address);
      const writer = socket.writable.getWriter();
      await writer.write(text("a"));
      await writer.close();
      expect(await read(socket)).toBe("a");
    },
  );

  it("reaches a function", async () => {
    expect(await read(await NET.connect("function.internal:1"))).toBe("from a function");
  });

  it("reads into the reader's own buffer, to the end", async () => {
    const socket = await NET.connect("pong.internal:1");
    const reader = socket.readable.getReader({ mode: "byob" });
    await socket.writable.getWriter().write(text("PING"));
    const seen = [];
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(3));
      seen.push(Buffer.from(value ?? []).toString());
      if (done) break;
    }
    expect(seen.join("")).toBe("PONG");
  });

  it("fails the streams if the target resets the connection", async () => {
    const socket = await NET.connect("reset.internal:1");
    const reading = read(socket);
    await socket.writable.getWriter().write(text("x"));
    await expect(reading).rejects.toThrow("ProxyError: connection_terminated");
    await expect(socket.closed).rejects.toThrow("ProxyError: connection_terminated");
  });

  it("carries 32 MiB both ways", { timeout: 60_000 }, async () => {
    const socket = await NET.connect("echo.internal:1");
    const sending = (async (): Promise<void> => {
      const writer = socket.writable.getWriter();
      for (let piece = 0; piece < 512; piece++) await writer.write(new Uint8Array(65_536).fill(piece % 251));
      await writer.close();
    })();
    let [received, wrong] = [0, 0];
    for await (const chunk of socket.readable) {
      if (chunk[0] !== Math.floor(received / 65_536) % 251) wrong++;
      received += chunk.length;
    }
    await sending;
    expect([received, wrong]).toEqual([32 * 2 ** 20, 0]);
  });

  it("does not read ahead without end", async () => {
    const { pouring } = targets;
    await using socket = await closable(NET, "pour.internal:1");
    await socket.readable.getReader().read();
    const sent = (): number =>
      [...pouring.open].reduce((sum, each) => sum + each.bytesWritten - each.writableLength, 0);
    let before = -1;
    await expect
      .poll(
        () => {
          const isSame = sent() === before;
          before = sent();
          return isSame;
        },
        { interval: 300 },
      )
      .toBe(true);
    expect(before).toBeLessThan(64 * 2 ** 20);
  });

  it("close() ends the connection at the target, also if that sends on or stays silent", async () => {
    const { pouring, silent } = targets;
    await expect.poll(() => pouring.open.size).toBe(0);
    const sockets = await Promise.all([NET.connect("pour.internal:1"), NET.connect("silent.internal:1")]);
    await expect.poll(() => [pouring.open.size, silent.open.size]).toEqual([1, 1]);
    await sockets[0].writable.getWriter().write(text("last words"));
    await Promise.all(sockets.map((socket) => socket.close()));
    await Promise.all(sockets.map((socket) => socket.closed));
    expect(await sockets[1].readable.getReader().read()).toMatchObject({ done: true });
    await expect.poll(() => [pouring.open.size, silent.open.size]).toEqual([0, 0]);
  });

  it("delivers what was written before close()", async () => {
    const { silent } = targets;
    await expect.poll(() => silent.open.size).toBe(0);
    const socket = await NET.connect("silent.internal:1");
    await expect.poll(() => silent.open.size).toBe(1);
    const [target] = silent.open;
    const writer = socket.writable.getWriter();
    for (let piece = 0; piece < 10; piece++) void writer.write(new Uint8Array(10_000));
    await socket.close();
    await expect.poll(() => target?.bytesRead).toBe(100_000);
  });

  it("100 at once", { timeout: 60_000 }, async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const socket = NET.connect("echo.internal:1");
        const writer = socket.writable.getWriter();
        await writer.write(text(`${index}`));
        await writer.close();
        return read(socket);
      }),
    );
    expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => `${index}`));
  });

  it.each<[address: unknown, options: object | undefined, words: RegExp]>([
    ["echo.internal", undefined, /"echo\.internal" has no port; write "host:port"/],
    ["echo.internal:0", undefined, /not between 1 and 65535/],
    [{ hostname: "echo.internal" }, undefined, /neither "host:port" nor/],
    ["echo.internal:1", { secureTransport: "on" }, /plaintext TCP only/],
  ])("throws a TypeError for %j with %j", (address, options, words) => {
    expect(() => NET.connect(address as string, options)).toThrow(TypeError);
    expect(() => NET.connect(address as string, options)).toThrow(words);
  });

  it("takes bytes only, and no TLS", async () => {
    await using socket = await closable(NET, "echo.internal:1");
    await expect(socket.writable.getWriter().write("text" as never)).rejects.toThrow(/not string/);
    expect(() => (socket as unknown as { startTls(): void }).startTls()).toThrow(/plaintext TCP only/);
  });
});

test("a Worker as the target", async () => {
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: { routes: { "worker.internal": "worker:other" } } } },
    ops: {
      async read(env) {
        const { readable } = await env.NET.connect("worker.internal:1");
        return new Response(readable).text();
      },
    },
    workers: [other] as MiniflareOptions["workers"],
  });
  expect(await worker.call("read")).toBe("from a Worker");
  const { NET } = await worker.miniflare.getBindings<{ NET: VpcFetcher }>();
  expect(await read(await NET.connect("worker.internal:1"))).toBe("from a Worker");
});

test("the terminal, the journal, rules and faults know these connections", async () => {
  await using targets = await startTargets();
  await using worker = await startTestWorker({ config: targets.config, ops: {} });
  const { NET } = await worker.miniflare.getBindings<{ NET: VpcFetcher }>();
  const say = async (): Promise<string> => {
    const socket = NET.connect("echo.internal:7");
    const writer = socket.writable.getWriter();
    await writer.write(text("four"));
    await writer.close();
    return read(socket);
  };
  expect(await say()).toBe("four");
  await expect.poll(() => worker.output()).toMatch(/NET {2}connect echo\.internal:7 → .* ↑ 4 B ↓ 4 B/);
  await using vpc = await connectVpc(worker.miniflare);
  expect(await say()).toBe("four");
  await expect.poll(() => vpc.connections()).toMatchObject([{ address: "echo.internal:7", sent: 4, received: 4 }]);
  const rule = await vpc.on("echo.internal:7").fail("connection_limit_reached");
  await expect(Promise.resolve(NET.connect("echo.internal:7"))).rejects.toThrow("connection_limit_reached");
  await expect.poll(() => vpc.connections()).toMatchObject([{ sent: 4 }, { code: "connection_limit_reached" }]);
  await rule.remove();
  await vpc.on("echo.internal:7").fault(resetPeer());
  await expect(say()).rejects.toThrow("ProxyError: connection_terminated");
});

test("the end of the session breaks a connection off, which is no clean end", async () => {
  await using targets = await startTargets();
  await using stack = new AsyncDisposableStack();
  const worker = stack.use(await startTestWorker({ config: targets.config, ops: {} }));
  const { NET } = await worker.miniflare.getBindings<{ NET: VpcFetcher }>();
  const socket = await NET.connect("silent.internal:1");
  const reading = read(socket).catch(String);
  await stack.disposeAsync();
  expect(await reading).toContain("ProxyError: connection_terminated");
});

const forge = async (env: { API: VpcFetcher }): Promise<string> => {
  const connection = { secret: "guessed", socketId: "x", hostname: "silent.internal", port: 1 };
  const answers = [];
  for (const value of [JSON.stringify(connection), "{", "null"]) {
    const answer = await env.API.fetch("http://api.internal/", { headers: { "x-miniflare-vpc-connect": value } });
    answers.push(await answer.text());
  }
  return answers.join();
};

test("a request with the header of this protocol is an ordinary one, in Node and in a Worker", async () => {
  await using origin = await startHttpOrigin(ok("from the target"));
  await using targets = await startTargets();
  const config = { ...targets.config, services: { [SERVICE]: `127.0.0.1:${origin.port}` } };
  await using worker = await startTestWorker({ config, ops: { forge } });
  const all = ["from the target", "from the target", "from the target"].join();
  expect(await worker.call("forge")).toBe(all);
  expect(await forge(await worker.miniflare.getBindings<{ API: VpcFetcher }>())).toBe(all);
  expect(targets.silent.accepted).toBe(0);
});
