/** Faults that come and go while a connection is open. */

import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import {
  type Fault,
  type Vpc,
  bandwidth,
  connectVpc,
  down,
  latency,
  limitData,
  resetPeer,
  timeout,
} from "miniflare-vpc/test/node";
import type { MiniflareOptions } from "miniflare";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { findRunning } from "../../plugin/scenario/running.ts";
import type { Scenario } from "../../plugin/scenario/scenario.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const ops = {
  /** Answers each message until the WebSocket ends, and tells how it did. */
  answerAll: async (env: TestEnv, url: string) => {
    const { webSocket } = await env.NET.fetch(url, { headers: { upgrade: "websocket" } });
    webSocket.addEventListener("message", ({ data }: { data: string }) => webSocket.send(`got ${data}`));
    const over = new Promise((resolve) => {
      webSocket.addEventListener("close", ({ code }: { code: number }) => resolve(`closed ${code}`));
      webSocket.addEventListener("error", () => resolve("failed"));
    });
    webSocket.accept();
    return over;
  },
  /** Counts what arrives of an answer, and tells how it ended. */
  read: async (env: TestEnv, url: string) => {
    let length = 0;
    try {
      const response = await env.NET.fetch(url);
      for await (const chunk of response.body) length += chunk.length;
      return { length, end: "whole" };
    } catch (error) {
      return { length, end: String(error) };
    }
  },
};

/** A Worker that answers with what the origin answers. */
function relay(port: number | undefined): MiniflareOptions["workers"][number] {
  const contents = `export default { fetch: () => fetch("http://127.0.0.1:${port}/") };`;
  return {
    config: {
      name: "relay",
      compatibilityDate: "2026-11-01",
      manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm", contents } } },
      env: {},
    },
  };
}

const TIMEOUT = 30_000;
const authority = makeAuthority("Test root");
/** Waits for the next answer that begins. */
let hearAnswer: (rest: (text: string | undefined) => void) => void = () => {};

function nextAnswer(): Promise<(text: string | undefined) => void> {
  return new Promise((resolve) => (hearAnswer = resolve));
}

/** An answer of a piece, and of what the test adds. */
function streamed(): Response {
  let isOver = false;
  return new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from("piece"));
        hearAnswer((text) => {
          if (isOver) return;
          if (text !== undefined) return controller.enqueue(Buffer.from(text));
          isOver = true;
          controller.close();
        });
      },
      cancel: () => void (isOver = true),
    }),
  );
}

const answerSlowly: http.RequestListener = (_, response) => {
  response.write("piece");
  hearAnswer((text) => (text === undefined ? response.end() : response.write(text)));
};

const servers = [
  http.createServer(answerSlowly),
  https.createServer(authority.issue("safe.internal"), answerSlowly),
] as const;
const plain = new WebSocketServer({ server: servers[0] });
const safe = new WebSocketServer({ server: servers[1] });
let worker: TestWorker;
let vpc: Vpc;
let scenario: Scenario;

beforeAll(async () => {
  await Promise.all(servers.map((server) => once(server.listen(0, "127.0.0.1"), "listening")));
  const [plainPort, safePort] = servers.map((server) => (server.address() as AddressInfo).port);
  worker = await startTestWorker({
    ops,
    workers: [relay(plainPort)],
    config: {
      networks: {
        [TUNNEL]: {
          tls_settings: { cert_verification_mode: "disabled" },
          routes: {
            "plain.internal": `127.0.0.1:${plainPort}`,
            "safe.internal": `127.0.0.1:${safePort}`,
            "function.internal": () => streamed(),
            "worker.internal": "worker:relay",
          },
        },
      },
    },
  });
  vpc = await connectVpc(worker.miniflare);
  const { MINIFLARE_VPC: id } = await worker.miniflare.getBindings();
  scenario = findRunning(String(id))!.scenario;
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  for (const server of [plain, safe]) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
  for (const server of servers) server.close();
});

async function answerBegins(): Promise<void> {
  await expect.poll(async () => (await vpc.requests())[0]?.status, { timeout: TIMEOUT }).toBe(200);
}

async function callsEnd(): Promise<void> {
  await expect.poll(() => scenario.openCalls, { timeout: TIMEOUT }).toBe(0);
}

describe.each([
  ["a WebSocket of a plain origin", plain, "http://plain.internal/"],
  ["a WebSocket of a TLS origin", safe, "https://safe.internal/"],
])("on %s", (_, server, url) => {
  const who = new URL(url).hostname;
  let socket: WebSocket;
  let over: Promise<string>;
  let sent = 0;

  /** @returns the milliseconds until the Worker's answer is here */
  const ask = async (): Promise<number> => {
    const started = performance.now();
    const text = String(++sent);
    const answered = once(socket, "message") as Promise<[Buffer]>;
    socket.send(text);
    const [answer] = await answered;
    expect(answer.toString()).toBe(`got ${text}`);
    return performance.now() - started;
  };

  beforeEach(async () => {
    const connected = once(server, "connection") as Promise<[WebSocket]>;
    over = worker.call<string>("answerAll", url);
    [socket] = await connected;
    socket.on("error", () => {});
    await ask();
  });
  afterEach(async () => {
    socket.close(1000);
    await over;
    await callsEnd();
    await vpc.reset();
  });

  test.each(["upstream", "downstream"] as const)(
    "latency %s delays its messages until it is removed",
    async (stream) => {
      const fault = await vpc.on(who).fault(latency(300, { stream }));
      expect(scenario.openCalls).toBe(1);
      expect(await ask()).toBeGreaterThanOrEqual(295);
      await fault.remove();
      await expect.poll(ask, { timeout: TIMEOUT }).toBeLessThan(295);
    },
  );

  test("bandwidth(0) holds its messages, which arrive when it is removed", async () => {
    const fault = await vpc.on(who).fault(bandwidth(0));
    let isHere = false;
    const answered = ask().then(() => (isHere = true));
    await using _ = await vpc.on("elsewhere.internal").fault(latency(1));
    expect(isHere).toBe(false);
    await fault.remove();
    await answered;
    await ask();
  });

  test.each<[string, Fault]>([
    ["down", down()],
    ["resetPeer", resetPeer()],
    ["timeout", timeout(20)],
    ["limitData", limitData(1)],
  ])("%s ends it", async (__, fault) => {
    await vpc.on(who).fault(fault);
    socket.send("x");
    expect(await over).toMatch(/^(closed 10(06|11)|failed)$/);
  });

  test("reset() ends what a fault holds", async () => {
    await vpc.on(who).fault(timeout(0));
    socket.send("x");
    await vpc.reset();
    expect(await over).toMatch(/^(closed 10(06|11)|failed)$/);
  });
});

interface Read {
  length: number;
  end: string;
}

describe.each([
  ["a streamed answer of an origin", "http://plain.internal/slow"],
  ["a streamed answer of a TLS origin", "https://safe.internal/slow"],
  ["a streamed answer of a function", "http://function.internal/"],
  ["a streamed answer of a rule's function", "http://rule.internal/"],
  ["a streamed answer of a Worker", "http://worker.internal/"],
])("on %s", (_, url) => {
  const who = new URL(url).hostname;
  let read: Promise<Read>;
  let rest: (text: string | undefined) => void;

  beforeEach(async () => {
    const begun = nextAnswer();
    if (who === "rule.internal") await vpc.on(who).respond(() => streamed());
    read = worker.call<Read>("read", url);
    rest = await begun;
    await answerBegins();
  });
  afterEach(async () => {
    rest(undefined);
    await read;
    await callsEnd();
    await vpc.reset();
  });

  test("latency delays the rest of it", async () => {
    await vpc.on(who).fault(latency(300));
    const started = performance.now();
    rest("rest");
    rest(undefined);
    expect(await read).toEqual({ length: 9, end: "whole" });
    expect(performance.now() - started).toBeGreaterThanOrEqual(295);
  });

  test("bandwidth(0) holds the rest until it is removed", async () => {
    const fault = await vpc.on(who).fault(bandwidth(0));
    rest("rest");
    rest(undefined);
    await using _ = await vpc.on("elsewhere.internal").fault(latency(1));
    expect((await vpc.requests())[0]?.duration).toBeUndefined();
    await fault.remove();
    expect(await read).toEqual({ length: 9, end: "whole" });
  });

  test.each<[string, Fault]>([
    ["down", down()],
    ["resetPeer", resetPeer()],
    ["timeout", timeout(20)],
    ["limitData", limitData(1)],
  ])("%s breaks it off", async (__, fault) => {
    await vpc.on(who).fault(fault);
    rest("rest");
    rest(undefined);
    expect((await read).end).not.toBe("whole");
    await expect.poll(async () => (await vpc.requests())[0]?.code).toMatch(/connection_terminated|response_incomplete/);
  });

  test("reset() ends what a fault holds", async () => {
    await vpc.on(who).fault(timeout(0));
    rest("rest");
    await vpc.reset();
    expect((await read).end).not.toBe("whole");
  });
});
