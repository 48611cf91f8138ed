/** Targets that are only known when a request comes get a lane: workerd's own client, past the parser of the egress proxy. */

import { mkdtempSync, readdirSync, statSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, it, vi } from "vitest";

import { FAILURE_HEADER, LANE_TOKEN_HEADER } from "../../service-worker/routing/egress-protocol.ts";
import { ok, startForgetfulOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { socketIn } from "../servers/socket-path.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startMutualOrigin, startTlsOrigin } from "../servers/tls-server.ts";
import { describeOn } from "../setup/only-on.ts";
import { watchOrders } from "../setup/orders.ts";
import { SERVICE, TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "vpc-lanes-"));
afterAll(() => rm(folder, { recursive: true }));
beforeAll(() => {
  // This machine may have mkcert's root.
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
});

const HOST = "a.internal";
const root = makeAuthority("Test root");
const certificate = root.issue(HOST, { names: [HOST] });
const ca = path.join(folder, "root.pem");
await writeFile(ca, root.cert);

const ops = {
  text: async (env: TestEnv, url: string): Promise<string> => (await env.NET.fetch(url)).text(),
  status: async (env: TestEnv, [url, init]: [string, RequestInit]): Promise<number> =>
    (await env.NET.fetch(url, init)).status,
  field: async (env: TestEnv, [url, name]: [string, string]): Promise<unknown[]> => {
    const { status, headers } = await env.NET.fetch(url);
    return [status, headers.get(name)];
  },
};

/** The port comes with the request. */
function start(config: object = {}): Promise<TestWorker> {
  return startTestWorker({
    config: { ...config, networks: { [TUNNEL]: { routes: { "*.internal": "127.0.0.1" } } } },
    ops,
  });
}

/** The terminal must show no stack and no message of the runtime. */
function expectNoStack(worker: TestWorker): void {
  expect(worker.output()).not.toMatch(/stack:|workerd@|internal error|\n\s+at |Uncaught/i);
}

/** Asks until a request has not passed the egress proxy. @returns the answer, or the error's message */
async function takeLane(worker: TestWorker, url: string): Promise<string> {
  return vi.waitFor(
    async () => {
      using orders = watchOrders();
      const answer = await outcome(worker, url);
      expect(orders.ops).not.toContain("http");
      return answer;
    },
    { interval: 2 },
  );
}

function outcome(worker: TestWorker, url: string): Promise<string> {
  return worker.call<string>("text", url).catch((error: Error) => error.message);
}

/** Those of sockets that listen for lanes, in the directories of this process. */
function laneSockets(): string[] {
  const directories = readdirSync(os.tmpdir()).filter((name) => name.startsWith(`mvpc-${process.pid}-`));
  return directories
    .flatMap((directory) => readdirSync(path.join(os.tmpdir(), directory)).map((name) => path.join(directory, name)))
    .filter((name) => /\/[\w-]{12}-\d+$/.test(name))
    .map((name) => path.join(os.tmpdir(), name));
}

describeOn("posix", "a lane is a Unix socket", "a lane", () => {
  it("is taken from the third request on, by requests that may be repeated", async () => {
    await using origin = await startHttpOrigin(ok("a"));
    await using worker = await start();
    const url = `http://${HOST}:${origin.port}/`;
    expect(await takeLane(worker, url)).toBe("a");
    // Two through the proxy, and perhaps one that came before the lane was ready.
    expect(origin.requests.length).toBeLessThanOrEqual(4);
    using orders = watchOrders();
    const before = origin.accepted;
    for (let count = 0; count < 20; count++) expect(await worker.call("text", url)).toBe("a");
    expect(await worker.call("status", [url, { method: "DELETE" }])).toBe(200);
    expect(orders.ops).toEqual([]);
    // One connection was kept for all of them.
    expect(origin.accepted).toBe(before);
    expect(await worker.call("status", [url, { method: "POST" }])).toBe(200);
    expect(await worker.call("status", [url, { method: "PUT", body: "b" }])).toBe(200);
    expect(orders.ops).toEqual(["http", "http"]);
    const get = `GET / HTTP/1.1\r\nHost: ${HOST}:${origin.port}\r\n\r\n`;
    expect(new Set(origin.requests.filter((request) => request.startsWith("GET")))).toEqual(new Set([get]));
    expectNoStack(worker);
  });

  it.each([["readTimeout"], ["writeTimeout"], ["connectionLimit"]])("is not taken with %s", async (limit) => {
    await using origin = await startHttpOrigin(ok("a"));
    await using worker = await start({ [limit]: 5000 });
    using orders = watchOrders();
    for (let count = 0; count < 8; count++) await worker.call("text", `http://${HOST}:${origin.port}/`);
    expect(orders.ops.filter((op) => op === "http")).toHaveLength(8);
    expect(orders.ops).not.toContain("lane");
  });

  it("is a socket that only this user can open, with a name that nobody can guess", async () => {
    await using origin = await startHttpOrigin(ok("a"));
    await using worker = await start();
    const before = new Set(laneSockets());
    await takeLane(worker, `http://${HOST}:${origin.port}/`);
    const opened = laneSockets().filter((name) => !before.has(name));
    expect(opened).toHaveLength(1);
    for (const name of opened) {
      expect(statSync(name).isSocket()).toBe(true);
      expect(statSync(name).mode & 0o777).toBe(0o600);
      expect(statSync(path.dirname(name)).mode & 0o777).toBe(0o700);
    }
  });

  it("reaches a Unix socket", async () => {
    const socketPath = socketIn(folder, "target.sock");
    await using unix = await startHttpOrigin(ok("unix"), { path: socketPath });
    await using worker = await startTestWorker({
      config: {
        ca: [ca],
        networks: { [TUNNEL]: { routes: { [HOST]: `unix:${socketPath}`, "*.internal": "127.0.0.1" } } },
      },
      ops,
    });
    expect(await takeLane(worker, `http://${HOST}/`)).toBe("unix");
    expect(unix.requests.at(-1)).toBe(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  });

  it("serves https: one handshake for many requests", async () => {
    await using origin = await startTlsOrigin({ ...certificate, answer: ok("secure") });
    await using worker = await start({ ca: [ca] });
    const url = `https://${HOST}:${origin.port}/`;
    expect(await takeLane(worker, url)).toBe("secure");
    const before = origin.handshakes.length;
    for (let count = 0; count < 10; count++) expect(await worker.call("text", url)).toBe("secure");
    expect(origin.handshakes).toHaveLength(before);
    expect(origin.handshakes.at(-1)).toMatchObject({ serverName: HOST, alpn: "http/1.1" });
  });

  it("presents the client certificate of the record", async () => {
    const id = "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f";
    const alice = root.issue("alice");
    const files = { cert: path.join(folder, "alice.pem"), key: path.join(folder, "alice.key") };
    await writeFile(files.cert, alice.cert);
    await writeFile(files.key, alice.key);
    await using origin = await startMutualOrigin({ ...certificate, ca: root.cert });
    await using worker = await startTestWorker({
      config: {
        ca: [ca],
        certificates: { [id]: files },
        services: {
          [SERVICE]: {
            name: "a",
            type: "http",
            host: { hostname: HOST, resolver_network: { tunnel_id: TUNNEL } },
            tls_settings: { cert_verification_mode: "verify_full", client_certificate: id },
            target: `127.0.0.1:${origin.port}`,
          },
        },
      },
      ops: { text: async (env: TestEnv, url: string): Promise<string> => (await env.API.fetch(url)).text() },
    });
    expect(await takeLane(worker, `https://${HOST}/`)).toBe("alice");
  });

  it("takes no request on a connection that a replaced root has opened", async () => {
    const changing = path.join(folder, "changing.pem");
    await writeFile(changing, root.cert);
    await using origin = await startTlsOrigin({ ...certificate, answer: ok("secure") });
    await using worker = await start({ ca: [changing] });
    const url = `https://${HOST}:${origin.port}/`;
    expect(await takeLane(worker, url)).toBe("secure");
    await writeFile(changing, makeAuthority("Another root").cert);
    const refusal = "ProxyError: tls_certificate_error";
    await expect.poll(() => outcome(worker, url), { interval: 5 }).toBe(refusal);
    const asked = origin.requests.length;
    expect(await takeLane(worker, url)).toBe(refusal);
    expect(origin.requests).toHaveLength(asked);
    await writeFile(changing, root.cert);
    await expect.poll(() => outcome(worker, url), { interval: 5 }).toBe("secure");
    expectNoStack(worker);
  });

  it("tries a handshake once, within the limit, and names the cause", async () => {
    const origin = await startTlsOrigin({ ...certificate, answer: ok("secure") });
    const { port } = origin;
    await using worker = await start({ ca: [ca], connectTimeout: 400 });
    const url = `https://${HOST}:${port}/`;
    await takeLane(worker, url);
    await origin[Symbol.asyncDispose]();
    await using silent = await startTcpServer(undefined, { port });
    using orders = watchOrders();
    expect(await outcome(worker, url)).toBe("ProxyError: connection_timeout");
    await vi.waitFor(() =>
      expect(worker.output()).toContain(`no TLS handshake with 127.0.0.1 port ${port} within 400 ms`),
    );
    // workerd may have sent the request on a kept connection first, and then the proxy repeats it.
    expect(silent.accepted).toBe(1);
    expect(orders.ops.filter((op) => op === "http").length).toBeLessThanOrEqual(1);
    expectNoStack(worker);
  });

  it("survives a restart of its target, and names the cause in between", async () => {
    const first = await startHttpOrigin(ok("first"));
    const { port } = first;
    await using worker = await start();
    const url = `http://${HOST}:${port}/`;
    expect(await takeLane(worker, url)).toBe("first");
    await first[Symbol.asyncDispose]();
    expect(await outcome(worker, url)).toBe("ProxyError: connection_refused");
    expect(await takeLane(worker, url)).toBe("ProxyError: connection_refused");
    await vi.waitFor(() => expect(worker.output()).toContain(`connect ECONNREFUSED 127.0.0.1:${port}`));
    await using second = await startHttpOrigin(ok("second"), { port });
    expect(await outcome(worker, url)).toBe("second");
    expect(second.requests).toHaveLength(1);
    expectNoStack(worker);
  });

  it("loses no request when its target closes idle connections", async () => {
    await using origin = await startForgetfulOrigin(3);
    await using worker = await start();
    const url = `http://${HOST}:${origin.port}/`;
    await takeLane(worker, url);
    const before = origin.accepted;
    while (origin.accepted < before + 20) expect(await worker.call("text", url)).toBe("in time");
    expectNoStack(worker);
  });

  it("is left at once when an edit leads elsewhere", async () => {
    await using one = await startHttpOrigin(ok("one"));
    await using other = await startHttpOrigin(ok("other"));
    const file = path.join(folder, "vpc.jsonc");
    const write = (host: string): Promise<void> =>
      writeFile(file, JSON.stringify({ networks: { [TUNNEL]: { routes: { [HOST]: host } } } }));
    const socketPath = socketIn(folder, "other.sock");
    await using unix = await startHttpOrigin(ok("unix"), { path: socketPath });
    await write("127.0.0.1");
    await using worker = await startTestWorker({ config: file, ops });
    const url = `http://${HOST}:${one.port}/`;
    expect(await takeLane(worker, url)).toBe("one");
    await write(`unix:${socketPath}`);
    await expect.poll(() => outcome(worker, url), { interval: 5 }).toBe("unix");
    const asked = one.requests.length;
    expect(await takeLane(worker, url)).toBe("unix");
    expect(await takeLane(worker, `http://${HOST}:${other.port}/`)).toBe("unix");
    expect(one.requests).toHaveLength(asked);
    await write("127.0.0.1");
    await expect.poll(() => outcome(worker, url), { interval: 5 }).toBe("one");
    expect(await takeLane(worker, `http://${HOST}:${other.port}/`)).toBe("other");
    expect(unix.requests.length).toBeGreaterThan(2);
  });

  it("is given to as many targets as there are lanes; the proxy serves the others", async () => {
    await using stack = new AsyncDisposableStack();
    await using worker = await start();
    const origins = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => stack.use(await startHttpOrigin(ok(`origin ${index}`)))),
    );
    const ask = (): Promise<string[]> =>
      Promise.all(origins.map(({ port }) => worker.call<string>("text", `http://${HOST}:${port}/`)));
    const expected = origins.map((_, index) => `origin ${index}`);
    await vi.waitFor(async () => {
      using orders = watchOrders();
      expect(await ask()).toEqual(expected);
      expect(orders.ops.filter((op) => op === "http")).toHaveLength(8);
    });
    expect(await ask()).toEqual(expected);
    expectNoStack(worker);
  });

  it("belongs to one instance: another has its own, and goes on when the first is gone", async () => {
    await using origin = await startHttpOrigin(ok("a"));
    const url = `http://${HOST}:${origin.port}/`;
    const first = await start();
    await using second = await start();
    const before = laneSockets().length;
    expect(await takeLane(first, url)).toBe("a");
    expect(await takeLane(second, url)).toBe("a");
    expect(laneSockets()).toHaveLength(before + 2);
    await first.reload();
    expect(await takeLane(first, url)).toBe("a");
    await first[Symbol.asyncDispose]();
    using orders = watchOrders();
    expect(await second.call("text", url)).toBe("a");
    expect(orders.ops).toEqual([]);
    await second[Symbol.asyncDispose]();
    // Nothing keeps a connection to the target.
    await vi.waitFor(() => expect([...origin.open].length).toBeLessThanOrEqual(1));
    expectNoStack(first);
    expectNoStack(second);
  });

  it("does not let a target speak for the Node process", async () => {
    const fields = `${LANE_TOKEN_HEADER}: guess\r\n${FAILURE_HEADER}: {"code":"dns_error","detail":"forged"}\r\n`;
    await using origin = await startHttpOrigin(`HTTP/1.1 502 Own\r\n${fields}Content-Length: 0\r\n\r\n`);
    await using worker = await start();
    const url = `http://${HOST}:${origin.port}/`;
    await takeLane(worker, url);
    expect(await worker.call("field", [url, LANE_TOKEN_HEADER])).toEqual([502, "guess"]);
    expect(worker.output()).not.toContain("forged");
  });

  it("is not given to a target whose answers end with their connection", async () => {
    await using origin = await startHttpOrigin((_, socket) => void socket.end("HTTP/1.1 200 OK\r\n\r\nwhole"));
    await using worker = await start();
    using orders = watchOrders();
    for (let count = 0; count < 10; count++) {
      expect(await worker.call("text", `http://${HOST}:${origin.port}/`)).toBe("whole");
    }
    expect(orders.ops.filter((op) => op === "http")).toHaveLength(10);
    expect(origin.requests).toHaveLength(10);
  });

  it("leaves the request to the proxy if such an answer comes later", async () => {
    let isFramed = true;
    await using origin = await startHttpOrigin((_, socket) => {
      if (isFramed) return ok("framed");
      socket.end("HTTP/1.1 200 OK\r\n\r\nwhole");
      return undefined;
    });
    await using worker = await start();
    const url = `http://${HOST}:${origin.port}/`;
    expect(await takeLane(worker, url)).toBe("framed");
    isFramed = false;
    using orders = watchOrders();
    expect(await worker.call("text", url)).toBe("whole");
    expect(orders.ops).toEqual(["http"]);
    isFramed = true;
    expect(await worker.call("text", url)).toBe("framed");
    expect(orders.ops).toEqual(["http", "http"]);
  });

  it("is kept by answers that have no body, whatever their fields say", async () => {
    await using origin = await startHttpOrigin((request) => {
      const status = request.startsWith("HEAD") ? "200 OK" : request.startsWith("OPTIONS") ? "204 None" : "304 Same";
      return request.includes("warm") ? ok("warm") : `HTTP/1.1 ${status}\r\n\r\n`;
    });
    await using worker = await start();
    const url = `http://${HOST}:${origin.port}/`;
    await takeLane(worker, `${url}warm`);
    using orders = watchOrders();
    expect(await worker.call("status", [url, { method: "HEAD" }])).toBe(200);
    expect(await worker.call("status", [url, { method: "OPTIONS" }])).toBe(204);
    expect(await worker.call("status", [url, {}])).toBe(304);
    expect(await worker.call("text", `${url}warm`)).toBe("warm");
    expect(orders.ops).toEqual([]);
  });

  it("ends the target's work when the caller gives up", async () => {
    let isSilent = false;
    await using origin = await startHttpOrigin(() => (isSilent ? undefined : ok("a")));
    await using worker = await startTestWorker({
      config: { networks: { [TUNNEL]: { routes: { "*.internal": "127.0.0.1" } } } },
      ops: {
        ...ops,
        giveUp: async (env: TestEnv, url: string): Promise<string> => {
          const pending = env.NET.fetch(url, { signal: AbortSignal.timeout(100) });
          return pending.then(
            () => "answered",
            (error: Error) => error.name,
          );
        },
      },
    });
    const url = `http://${HOST}:${origin.port}/`;
    await takeLane(worker, url);
    isSilent = true;
    using orders = watchOrders();
    const asked = origin.requests.length;
    expect(await worker.call("giveUp", url)).toBe("TimeoutError");
    expect(origin.requests).toHaveLength(asked + 1);
    await vi.waitFor(() => expect(origin.open.size).toBeLessThanOrEqual(1));
    expect(orders.ops).not.toContain("http");
    expectNoStack(worker);
  });
});
