/** Observed calls that lead to a Worker: their bytes pass through Node on both ways. */

import { connectVpc, down, latency } from "miniflare-vpc/test/node";
import type { MiniflareOptions } from "miniflare";
import { describe, expect, test } from "vitest";
import { findRunning } from "../../plugin/scenario/running.ts";
import { TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const STAND_IN = `export default {
        async fetch(request) {
          const { pathname } = new URL(request.url);
          if (pathname === "/throw") throw new RangeError("from the Worker");
          if (pathname === "/socket") {
            const [client, server] = Object.values(new WebSocketPair());
            server.accept();
            server.addEventListener("message", ({ data }) => {
              if (data === "close") server.close(4002, "over");
              else server.send("echo " + data);
            });
            return new Response(null, { status: 101, webSocket: client, headers: { "x-kept": "yes" } });
          }
          if (pathname === "/never") await request.text().then(() => scheduler.wait(600_000));
          if (pathname === "/none") return new Response(null, { status: 204 });
          return new Response(request.method + " " + request.headers.get("content-length") + " " + await request.text(), {
            status: 201, headers: { "x-kept": "yes" },
          });
        },
        async connect(socket) {
          const text = await new Response(socket.readable).text();
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode("worker got " + text));
          await writer.close();
        },
      };`;

const standIn = {
  config: {
    name: "stand-in",
    compatibilityDate: "2026-11-01",
    manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm", contents: STAND_IN } } },
    env: {},
  },
} as MiniflareOptions["workers"][number];

const ops = {
  fetch: async (env: TestEnv, { path, ...init }: { path: string; method?: string; body?: string }) => {
    const response: Response = await env.NET.fetch(`http://a.internal${path}`, init);
    return { status: response.status, text: await response.text(), kept: response.headers.get("x-kept") };
  },
  socket: async (env: TestEnv) => {
    const { webSocket } = await env.NET.fetch("http://a.internal/socket", { headers: { upgrade: "websocket" } });
    webSocket.accept();
    const answer = new Promise((resolve) =>
      webSocket.addEventListener("message", ({ data }: { data: string }) => resolve(data)),
    );
    webSocket.send("hello");
    return answer;
  },
  /** Sends each text when the answer to the one before has come. Then closes, or waits for the other end to. */
  talk: async (env: TestEnv, { texts, mustWait }: { texts: string[]; mustWait: boolean }) => {
    const started = Date.now();
    const { webSocket, headers } = await env.NET.fetch("http://a.internal/socket", {
      headers: { upgrade: "websocket" },
    });
    webSocket.accept();
    const got: string[] = [];
    const closed = new Promise((resolve) =>
      webSocket.addEventListener("close", ({ code, reason }: CloseEvent) => resolve({ code, reason })),
    );
    // A long text doesn't fit in the operation's argument.
    for (const text of texts.map((text) => (text === "long" ? "é".repeat(100_000) : text))) {
      const answer = new Promise((resolve) => webSocket.addEventListener("message", resolve, { once: true }));
      webSocket.send(text);
      const event = (await Promise.race([answer, closed])) as { data?: string };
      if (event.data !== undefined) got.push(event.data);
    }
    if (!mustWait) webSocket.close(4001, "mine");
    return { got, closed: await closed, took: Date.now() - started, kept: headers.get("x-kept") };
  },
  /** Asks, and doesn't wait for an answer. */
  giveUp: async (env: TestEnv, method: string) => {
    const abort = new AbortController();
    const body = method === "POST" ? "sent" : null;
    const asked = env.NET.fetch("http://a.internal/never", { method, body, signal: abort.signal });
    setTimeout(() => abort.abort(), 500);
    return asked.then(
      () => "answered",
      (error: Error) => error.name,
    );
  },
  connect: async (env: TestEnv, text: string) => {
    const socket = await env.NET.connect("a.internal:1");
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    return new Response(socket.readable).text();
  },
};

function start(): Promise<TestWorker> {
  return startTestWorker({
    ops,
    workers: [standIn],
    config: { networks: { [TUNNEL]: { routes: { "a.internal": "worker:stand-in" } } } },
  });
}

test("the Worker and its caller see the same as unobserved, and the journal has it", async () => {
  await using worker = await start();
  const calls = [{ path: "/x", method: "POST", body: "sent" }, { path: "/x" }, { path: "/none" }];
  const see = async (): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for (const call of calls) seen.push(await worker.call("fetch", call));
    seen.push(await worker.call("socket"), await worker.call("connect", "bytes"));
    await expect(worker.call("fetch", { path: "/throw" })).rejects.toThrow("from the Worker");
    return seen;
  };
  const unobserved = await see();
  await using vpc = await connectVpc(worker.miniflare);
  expect(await see()).toEqual(unobserved);

  const requests = await vpc.requests("NET");
  expect(requests.map(({ method, url, status, target }) => [method, new URL(url).pathname, status, target])).toEqual([
    ["POST", "/x", 201, "worker:stand-in"],
    ["GET", "/x", 201, "worker:stand-in"],
    ["GET", "/none", 204, "worker:stand-in"],
    ["GET", "/socket", 101, "worker:stand-in"],
    ["GET", "/throw", undefined, "worker:stand-in"],
  ]);
  expect(await requests[0]?.text()).toBe("sent");
  expect(await requests[0]?.response?.text()).toBe("POST 4 sent");
  const [connection] = await vpc.connections();
  const { sent, received } = (await connection?.data()) ?? {};
  expect([sent, received].map((bytes) => new TextDecoder().decode(bytes))).toEqual(["bytes", "worker got bytes"]);
});

describe("a WebSocket of a Worker, whose messages pass through faults", () => {
  interface Talked {
    got: string[];
    closed: { code: number; reason: string };
    took: number;
    kept: string;
  }

  const endOf = (talked: Promise<Talked>): Promise<string> =>
    talked.then(
      ({ closed }) => closed.reason,
      (error: Error) => error.message,
    );
  /** The second: if the WebSocket wasn't open yet. */
  const BROKEN = /^the connection broke off$|^ProxyError: connection_terminated$/;

  test("each message is delayed, in both directions, and a close keeps its code", async () => {
    await using worker = await start();
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("a.internal").fault(latency(50), latency(50, { stream: "upstream" }));
    const ours = await worker.call<Talked>("talk", { texts: ["1", "2", "long"], mustWait: false });
    expect(ours).toMatchObject({ got: ["echo 1", "echo 2", `echo ${"é".repeat(100_000)}`], kept: "yes" });
    // Three messages there and back.
    expect(ours.took).toBeGreaterThanOrEqual(295);
    const theirs = await worker.call<Talked>("talk", { texts: ["1", "close"], mustWait: true });
    expect(theirs).toMatchObject({ got: ["echo 1"], closed: { code: 4002, reason: "over" } });
    expect((await vpc.requests()).map(({ status }) => status)).toEqual([101, 101]);
  });

  test("a fault that comes later acts on it, too, and reset() ends it", async () => {
    await using worker = await start();
    await using vpc = await connectVpc(worker.miniflare);
    const cut = worker.call<Talked>("talk", { texts: ["1"], mustWait: true });
    await expect.poll(async () => (await vpc.requests())[0]?.status).toBe(101);
    await using _ = await vpc.on("a.internal").fault(down());
    expect(await endOf(cut)).toMatch(BROKEN);
    await vpc.reset();
    const ended = worker.call<Talked>("talk", { texts: ["1"], mustWait: true });
    await expect.poll(async () => (await vpc.requests())[0]?.status).toBe(101);
    // Influenced from here on.
    await vpc.on("a.internal").fault(latency(1));
    await vpc.reset();
    expect(await endOf(ended)).toMatch(BROKEN);
    const { scenario } = findRunning(
      String((await worker.miniflare.getBindings<Record<string, string>>())["MINIFLARE_VPC"]),
    )!;
    await expect.poll(() => scenario.openCalls).toBe(0);
  });
});

test.each(["GET", "POST"])(
  "a caller that gives up on a Worker that never answers ends its call: %s",
  async (method) => {
    await using worker = await start();
    await using vpc = await connectVpc(worker.miniflare);
    expect(await worker.call("giveUp", method)).toBe("AbortError");
    await expect.poll(async () => (await vpc.requests())[0]?.duration, { timeout: 30_000 }).toBeGreaterThan(0);
    expect((await vpc.requests())[0]).toMatchObject({ method, target: "worker:stand-in" });
    const { MINIFLARE_VPC: id } = await worker.miniflare.getBindings();
    expect(findRunning(String(id))?.scenario.openCalls).toBe(0);
  },
  60_000,
);

test("a rule leads to a Worker", async () => {
  await using worker = await start();
  await using vpc = await connectVpc(worker.miniflare);
  await vpc.on("a.internal", "/x").to("worker:stand-in");
  expect(await worker.call("fetch", { path: "/x", method: "PUT", body: "é" })).toMatchObject({ text: "PUT 2 é" });
  await expect(vpc.on("a.internal").to("worker:nobody")).rejects.toThrow(
    'vpc: the target "worker:nobody" is not a Worker of this session.',
  );
});
