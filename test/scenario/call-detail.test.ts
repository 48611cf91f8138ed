/** What is captured of a call for those who watch closely, and for nobody else. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { type CallDetail, bytesOf, timingsOf } from "../../plugin/scenario/call-detail.ts";
import { findRunning } from "../../plugin/scenario/running.ts";
import type { JournalEntry, RequestEntry } from "../../plugin/scenario/journal.ts";
import type { Scenario } from "../../plugin/scenario/scenario.ts";
import type { VpcConfig } from "../../plugin/config.ts";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, echo, startTcpServer } from "../servers/tcp-server.ts";
import { selfSign } from "../servers/tls-certificates.ts";
import { type TlsOrigin, startTlsOrigin } from "../servers/tls-server.ts";
import { TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const ops = {
  get: async (env: TestEnv, url: string) => (await env.NET.fetch(url)).text(),
  post: async (env: TestEnv, url: string) => (await env.NET.fetch(url, { method: "POST", body: "sent" })).text(),
  echo: async (env: TestEnv, address: string) => {
    const socket = await env.NET.connect(address);
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("hello"));
    await writer.close();
    return new Response(socket.readable).text();
  },
  talk: async (env: TestEnv, { url, texts }: { url: string; texts: string[] }) => {
    const { webSocket } = await env.NET.fetch(url, { headers: { upgrade: "websocket" } });
    const answers: string[] = [];
    let answered: (() => void) | undefined;
    webSocket.addEventListener("message", ({ data }: { data: string }) => {
      answers.push(data);
      answered?.();
    });
    webSocket.accept();
    for (const text of texts) {
      const answer = new Promise<void>((resolve) => (answered = resolve));
      webSocket.send(text);
      await answer;
    }
    webSocket.close(1000, "done");
    return answers;
  },
};

let origin: HttpOrigin;
let secure: TlsOrigin;
let tcp: TestServer;
let sockets: WebSocketServer;

beforeAll(async () => {
  origin = await startHttpOrigin(ok("answer"));
  secure = await startTlsOrigin({ ...selfSign("secure.internal", { names: ["secure.internal"] }), answer: ok("safe") });
  tcp = await startTcpServer(echo, { allowHalfOpen: true });
  sockets = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: { threshold: 0 } });
  sockets.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)));
  await once(sockets, "listening");
});

afterAll(async () => {
  await Promise.all([origin, secure, tcp].map((server) => server[Symbol.asyncDispose]()));
  sockets.close();
});

interface Watched extends TestWorker {
  scenario: Scenario;
}

/** @param options `isWatched`: closely, from the start */
async function start({ isWatched = true }: { isWatched?: boolean } = {}): Promise<Watched> {
  const config: VpcConfig = {
    networks: {
      [TUNNEL]: {
        tls_settings: { cert_verification_mode: "disabled" },
        routes: {
          "origin.internal": `127.0.0.1:${origin.port}`,
          "named.internal": `http://localhost:${origin.port}`,
          "secure.internal": `127.0.0.1:${secure.port}`,
          "tcp.internal": `127.0.0.1:${tcp.port}`,
          "sockets.internal": `127.0.0.1:${(sockets.address() as AddressInfo).port}`,
        },
      },
    },
  };
  const worker = await startTestWorker({ ops, config });
  const { MINIFLARE_VPC: id } = await worker.miniflare.getBindings();
  const scenario = findRunning(String(id))?.scenario;
  if (scenario === undefined) throw new Error("the instance has no scenario");
  await scenario.observe();
  if (isWatched) scenario.journal.watchClosely({});
  return { ...worker, scenario, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

async function ended(scenario: Scenario, index: number): Promise<JournalEntry & { detail: CallDetail }> {
  await expect.poll(() => scenario.journal.entries[index]?.duration, { timeout: 30_000 }).toBeDefined();
  return scenario.journal.entries[index] as JournalEntry & { detail: CallDetail };
}

function sumOf({ duration = 0, detail }: JournalEntry): [number, number] {
  const { ssl, ...phases } = timingsOf(detail, duration);
  const sum = Object.values(phases).reduce((total, phase) => total + Math.max(0, phase), 0);
  expect(ssl).toBeLessThanOrEqual(phases.connect);
  return [Math.round(sum * 1000), Math.round(duration * 1000)];
}

test("nothing is captured unless somebody watches closely", async () => {
  await using worker = await start({ isWatched: false });
  await worker.call("get", "http://origin.internal/");
  await worker.call("echo", "tcp.internal:1");
  const { entries } = worker.scenario.journal;
  expect(entries.map(({ detail }) => detail)).toEqual([undefined, undefined]);
  const stop = worker.scenario.journal.watchClosely({});
  await worker.call("get", "http://origin.internal/");
  stop();
  await worker.call("get", "http://origin.internal/");
  expect(entries.slice(2).map(({ detail }) => detail !== undefined)).toEqual([true, false]);
});

test("a new connection has all its phases, and the next request on it none of them", async () => {
  await using worker = await start();
  await worker.call("get", "http://named.internal/");
  const first = await ended(worker.scenario, 0);
  // A kept one of another test may serve it, but not two at once.
  await worker.call("get", "http://named.internal/");
  const second = await ended(worker.scenario, 1);
  expect(sumOf(first)[0]).toBe(sumOf(first)[1]);
  expect(sumOf(second)[0]).toBe(sumOf(second)[1]);
  expect(timingsOf(second.detail, second.duration ?? 0)).toMatchObject({ dns: -1, connect: -1, ssl: -1 });
  expect(second.detail.connection).toMatchObject({ isReused: true, number: first.detail.connection?.number });
  expect(second.detail.connection?.server).toMatchObject({ port: origin.port });
});

test("the step of each phase is there, with the answer's version and text", async () => {
  await using worker = await start();
  // Not repeated, so it makes a connection of its own.
  await worker.call("post", "http://named.internal/");
  const entry = (await ended(worker.scenario, 0)) as RequestEntry;
  const { detail } = entry;
  expect(Object.keys(detail?.at ?? {}).toSorted()).toEqual(
    ["decided", "dialled", "resolved", "connected", "taken", "sent", "answered"].toSorted(),
  );
  expect(timingsOf(detail, entry.duration ?? 0).dns).toBeGreaterThan(0);
  expect(detail).toMatchObject({ response: { httpVersion: "1.1" }, statusText: "OK" });
});

test("TLS: protocol, certificate and server name, also on a later connection", async () => {
  await using worker = await start();
  for (const index of [0, 1]) {
    await worker.call("post", "https://secure.internal/");
    const entry = await ended(worker.scenario, index);
    expect(entry.detail.connection).toMatchObject({
      server: { address: "127.0.0.1", port: secure.port },
      tls: {
        protocol: "TLSv1.3",
        cipher: expect.stringMatching(/^TLS_/),
        serverName: "secure.internal",
        certificate: { subject: "secure.internal", issuer: "secure.internal" },
      },
    });
    expect(entry.detail.connection?.tls?.certificate?.validTo).toBeGreaterThan(Date.now());
    expect(sumOf(entry)[0]).toBe(sumOf(entry)[1]);
  }
  expect(timingsOf(worker.scenario.journal.entries[0]?.detail, 1e9).ssl).toBeGreaterThan(0);
});

test("the chunks of a connection, with their bytes", async () => {
  await using worker = await start();
  const seen: JournalEntry[] = [];
  worker.scenario.journal.changes.on("piece", (entry) => seen.push(entry));
  await worker.call("echo", "tcp.internal:1");
  const entry = await ended(worker.scenario, 0);
  if (entry.type !== "connection") throw new Error("not a connection");
  const chunks = entry.detail.chunks.map((chunk) => [
    chunk.from,
    bytesOf(chunk.from === "worker" ? entry.sent : entry.received, chunk)?.toString(),
  ]);
  expect(chunks).toEqual([
    ["worker", "hello"],
    ["target", "hello"],
  ]);
  expect(entry.detail).toMatchObject({ connection: { server: { address: "127.0.0.1", port: tcp.port } } });
  expect(seen).toHaveLength(2);
});

test("the messages of a WebSocket, compressed or not, and when it ended", async () => {
  await using worker = await start();
  const long = "long ".repeat(200);
  const texts = ["one", "two", long, "two"];
  await worker.call("talk", { url: "http://sockets.internal/", texts });
  const entry = worker.scenario.journal.entries[0] as RequestEntry;
  await expect.poll(() => entry.detail?.at.ended, { timeout: 30_000 }).toBeDefined();
  const { messages = [], messageBytes } = entry.detail ?? {};
  const heard = messages.map((message) => [message.from, message.opcode, bytesOf(messageBytes!, message)?.toString()]);
  expect(heard.filter(([, opcode]) => opcode === 1)).toEqual(
    texts.flatMap((text) => [
      ["worker", 1, text],
      ["target", 1, `echo ${text}`],
    ]),
  );
  expect(heard.filter(([, opcode]) => opcode === 8).map(([from]) => from)).toEqual(["worker", "target"]);
  expect(entry.detail?.messagesDropped).toBeUndefined();
  expect(entry.detail?.response?.headers.map(([fieldName]) => fieldName.toLowerCase())).toContain(
    "sec-websocket-accept",
  );
});
