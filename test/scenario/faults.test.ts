/** Faults of a test on real calls: HTTP plain and over TLS, TCP, rules' answers and Workers. */

import {
  bandwidth,
  connectVpc,
  down,
  failure,
  httpStatus,
  latency,
  limitData,
  resetPeer,
  slicer,
  slowClose,
  timeout,
  truncate,
  type Vpc,
} from "miniflare-vpc/test/node";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, echo, startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const ops = {
  get: async (env: TestEnv, url: string) => {
    const started = Date.now();
    const response = await env.NET.fetch(url);
    const text = await response.text();
    return { status: response.status, length: text.length, took: Date.now() - started };
  },
  /** What is sent comes back. */
  echo: async (env: TestEnv, { address, length }: { address: string; length: number }) => {
    const started = Date.now();
    const socket = await env.NET.connect(address);
    const writer = socket.writable.getWriter();
    // A fault may end the connection while this is written.
    const sent = writer.write(new Uint8Array(length)).then(
      () => writer.close(),
      () => undefined,
    );
    const bytes = await new Response(socket.readable).bytes();
    await sent.catch(() => undefined);
    return { length: bytes.length, took: Date.now() - started };
  },
  /** Holds a connection open, and tells how it ended. */
  hold: async (env: TestEnv, address: string) => {
    const socket = await env.NET.connect(address);
    const writer = socket.writable.getWriter();
    await writer.write(new Uint8Array(1));
    return new Response(socket.readable).text().then(
      (text) => `ended after ${text.length}`,
      () => "failed",
    );
  },
};

const BODY = "b".repeat(2000);
const authority = makeAuthority("Test root");
let origin: HttpOrigin;
let secure: HttpOrigin;
let server: TestServer;
let worker: TestWorker;
let vpc: Vpc;

beforeAll(async () => {
  origin = await startHttpOrigin(ok(BODY));
  secure = await startTlsOrigin({ ...authority.issue("tls.internal"), answer: ok(BODY) });
  server = await startTcpServer(echo, { allowHalfOpen: true });
  worker = await startTestWorker({
    ops,
    config: {
      networks: {
        [TUNNEL]: {
          tls_settings: { cert_verification_mode: "disabled" },
          routes: {
            "plain.internal": `127.0.0.1:${origin.port}`,
            "tls.internal": `127.0.0.1:${secure.port}`,
            "function.internal": () => new Response("b".repeat(2000)),
            "db.internal": `127.0.0.1:${server.port}`,
          },
        },
      },
    },
  });
  vpc = await connectVpc(worker.miniflare);
});
afterEach(() => vpc.reset());
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await Promise.all([origin, secure, server].map((each) => each[Symbol.asyncDispose]()));
});

interface Seen {
  status: number;
  length: number;
  took: number;
}

const URLS = [
  ["plain HTTP", "http://plain.internal/"],
  ["HTTPS", "https://tls.internal/"],
  ["a function", "http://function.internal/"],
  ["a rule's answer", "http://rule.internal/"],
] as const;

describe.each(URLS)("on %s", (_, url) => {
  const who = new URL(url).hostname;
  const get = (): Promise<Seen> => worker.call("get", url);
  const prepare = async (): Promise<void> => {
    if (who === "rule.internal") await vpc.on(who).respond({ text: BODY });
  };

  test("latency delays the answer; those of two rules add up; without it the next request is fast again", async () => {
    await prepare();
    const first = await vpc.on(who).fault(latency(120));
    await vpc.on("NET").fault(latency(80));
    const slow = await get();
    expect(slow).toMatchObject({ status: 200, length: 2000 });
    expect(slow.took).toBeGreaterThanOrEqual(195);
    await first.remove();
    expect((await get()).took).toBeGreaterThanOrEqual(75);
  });

  test.each([
    ["bandwidth", bandwidth(10), 150],
    ["slicer", slicer({ averageSize: 500, delay: 30_000 }), 60],
    ["slowClose", slowClose(100), 0],
  ])("%s lets every byte through", async (__, fault, least) => {
    await prepare();
    await vpc.on(who).fault(fault);
    const seen = await get();
    expect(seen).toMatchObject({ status: 200, length: 2000 });
    expect(seen.took).toBeGreaterThanOrEqual(least);
  });

  test.each([
    ["resetPeer", resetPeer(), "connection_terminated"],
    ["timeout", timeout(50), "connection_terminated"],
    ["limitData in the head", limitData(20), "http_response_incomplete"],
    ["limitData in the body", limitData(1000), "http_response_incomplete"],
    ["truncate", truncate(1500), "http_response_incomplete"],
    ["down", down(), "connection_refused"],
    ["failure", failure("dns_error"), "dns_error"],
  ])("%s fails the request", async (__, fault, code) => {
    await prepare();
    await vpc.on(who).fault(fault);
    await expect(get()).rejects.toThrow(
      code === "http_response_incomplete" ? /http_response_incomplete|Network connection lost/ : `ProxyError: ${code}`,
    );
    const [request] = await vpc.requests();
    await expect.poll(async () => (await vpc.requests())[0]?.code ?? request?.code).toBe(code);
  });

  test("httpStatus answers in place of the origin", async () => {
    await prepare();
    await vpc.on(who).fault(httpStatus(503));
    expect(await get()).toMatchObject({ status: 503, length: 0 });
  });
});

function callEcho(): Promise<{ length: number; took: number }> {
  return worker.call("echo", { address: "db.internal:5432", length: 1000 });
}

describe("on TCP", () => {
  test("latency both ways adds up", async () => {
    await vpc.on("db.internal:5432").fault(latency(100), latency(100, { stream: "upstream" }));
    const seen = await callEcho();
    expect(seen.length).toBe(1000);
    expect(seen.took).toBeGreaterThanOrEqual(195);
  });

  test("down refuses new connections and cuts those that are open", async () => {
    const held = worker.call<string>("hold", "db.internal:5432");
    await vi.waitFor(async () => expect((await vpc.connections())[0]?.received).toBe(1));
    await vpc.on("db.internal").fault(down());
    expect(await held).toBe("failed");
    await expect(callEcho()).rejects.toThrow("ProxyError: connection_refused");
    expect((await vpc.connections()).map(({ code }) => code)).toEqual(["connection_terminated", "connection_refused"]);
  });

  test("resetPeer on an open connection is an error for the Worker, never a clean end", async () => {
    const held = worker.call<string>("hold", "db.internal:5432");
    await vi.waitFor(async () => expect((await vpc.connections())[0]?.received).toBe(1));
    await vpc.on("db.internal").fault(resetPeer());
    // As with Toxiproxy, the next byte sets it off.
    for (const socket of server.open) socket.write("x");
    expect(await held).toBe("failed");
  });

  test("limitData ends the connection after so many bytes, as a plain end", async () => {
    await vpc.on("db.internal").fault(limitData(400));
    expect((await callEcho()).length).toBe(400);
  });

  test("timeout(0) holds until it is removed, which ends the connection", async () => {
    const fault = await vpc.on("db.internal").fault(timeout(0));
    const held = worker.call<string>("hold", "db.internal:5432");
    await vi.waitFor(async () => expect((await vpc.connections())[0]?.sent).toBe(1));
    await fault.remove();
    expect(await held).toMatch(/ended after 0|failed/);
  });
});

test("toxicity is drawn from the seed: the same seed gives the same run", async () => {
  const run = async (): Promise<string> => {
    await vpc.seed(7);
    const seen: number[] = [];
    for (let call = 0; call < 12; call++) seen.push((await worker.call<Seen>("get", "http://plain.internal/")).status);
    return seen.join();
  };
  await vpc.on("plain.internal").fault(httpStatus(503, { toxicity: 0.5 }));
  const first = await run();
  expect(first).toContain("200");
  expect(first).toContain("503");
  expect(await run()).toBe(first);
});
