/** https and wss on both kinds of binding, against real TLS servers. `egress/tls.test.ts` tests the certificates. */

import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import https from "node:https";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { WebSocketServer } from "ws";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { SERVICE, TUNNEL, startTestWorker, type TestEnv } from "../setup/test-worker.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "vpc-https-"));
afterAll(() => rm(folder, { recursive: true }));
beforeAll(() => {
  // This machine may have mkcert's root.
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
});

const root = makeAuthority("Test root");
const ca = path.join(folder, "root.pem");
await writeFile(ca, root.cert);

const text = async (env: TestEnv, [binding, url]: [keyof TestEnv, string]): Promise<string> =>
  (await env[binding].fetch(url)).text();

const host = { hostname: "users.internal", resolver_network: { tunnel_id: TUNNEL } };
const record = { name: "users-api", type: "http", host } as const;

function hostHeader(request: string | undefined): string | undefined {
  return /^host: (.*)$/im.exec(request ?? "")?.[1]?.trim();
}

it("serves the documented example: https to an address", async () => {
  await using origin = await startTlsOrigin({ ...root.issue("api", { names: ["10.0.1.50"] }), answer: ok("data") });
  await using worker = await startTestWorker({
    config: { ca: [ca], networks: { [TUNNEL]: { routes: { "10.0.1.50": `127.0.0.1:${origin.port}` } } } },
    ops: {
      async get(env) {
        const privateRequest = new Request("https://10.0.1.50/api/data");
        const response = await env.NET.fetch(privateRequest);
        return response.text();
      },
    },
  });
  expect(await worker.call("get")).toBe("data");
  expect(origin.requests[0]).toMatch(/^GET \/api\/data HTTP\/1\.1\r\n/);
  expect(hostHeader(origin.requests[0])).toBe("10.0.1.50");
  expect(origin.handshakes).toEqual([{ serverName: null, alpn: "http/1.1", isResumed: false }]);
});

describe("a VPC Service", () => {
  it("uses its https_port; the URL's host is the server name, the Host header and the verified name", async () => {
    const names = ["users.internal", "whatever.example"];
    await using origin = await startTlsOrigin({ ...root.issue("users", { names }), answer: ok("users") });
    await using worker = await startTestWorker({
      config: {
        ca: [ca],
        services: { [SERVICE]: { ...record, https_port: 8443 } },
        networks: { [TUNNEL]: { routes: { "users.internal:8443": `127.0.0.1:${origin.port}` } } },
      },
      ops: { text },
    });
    expect(await worker.call("text", ["API", "https://whatever.example:9999/"])).toBe("users");
    expect(await worker.call("text", ["API", "https://USERS.internal.:80/"])).toBe("users");
    expect(origin.requests.map(hostHeader)).toEqual(["whatever.example:9999", "users.internal.:80"]);
    expect(origin.handshakes.map(({ serverName }) => serverName)).toEqual(["whatever.example", "users.internal"]);
    await expect(worker.call("text", ["API", "https://other.example/"])).rejects.toThrow(
      /^ProxyError: tls_certificate_error$/,
    );
    await vi.waitFor(() =>
      expect(worker.output()).toContain(
        "the target's certificate is for users.internal, whatever.example, not for other.example",
      ),
    );
  });

  it.each([
    ["verify_full", "ProxyError: tls_certificate_error"],
    ["verify_ca", "ProxyError: tls_certificate_error"],
    ["disabled", undefined],
  ] as const)("uses its tls_settings: %s with a self-signed certificate", async (mode, problem) => {
    await using origin = await startTlsOrigin({ ...selfSign("dev box"), answer: ok("users") });
    await using worker = await startTestWorker({
      config: {
        services: {
          [SERVICE]: {
            ...record,
            tls_settings: { cert_verification_mode: mode },
            target: `127.0.0.1:${origin.port}`,
          },
        },
      },
      ops: { text },
    });
    const asked = worker.call("text", ["API", "https://users.internal/"]).catch((error: Error) => error.message);
    expect(await asked).toBe(problem ?? "users");
  });

  it("applies an edit of its mode, even to kept connections", async () => {
    await using origin = await startTlsOrigin({ ...selfSign("dev box"), answer: ok("users") });
    const file = path.join(folder, "vpc.json");
    const write = (mode: string): Promise<void> => {
      const service = { ...record, tls_settings: { cert_verification_mode: mode }, target: `127.0.0.1:${origin.port}` };
      return writeFile(file, JSON.stringify({ services: { [SERVICE]: service } }));
    };
    await write("verify_full");
    await using worker = await startTestWorker({ config: file, ops: { text } });
    const ask = (): Promise<unknown> =>
      worker.call("text", ["API", "https://users.internal/"]).catch((error: Error) => error.message);
    expect(await ask()).toBe("ProxyError: tls_certificate_error");
    await write("disabled");
    await expect.poll(ask, { interval: 10 }).toBe("users");
    await write("verify_full");
    await expect.poll(ask, { interval: 10 }).toBe("ProxyError: tls_certificate_error");
  });

  it("uses plain HTTP for an http:// target, with an https: URL", async () => {
    await using origin = await startHttpOrigin(ok("plain"));
    await using worker = await startTestWorker({
      config: { services: { [SERVICE]: `http://127.0.0.1:${origin.port}` } },
      ops: { text },
    });
    expect(await worker.call("text", ["API", "https://users.internal/secure"])).toBe("plain");
    expect(await worker.call("text", ["API", "https://users.internal:80/secure"])).toBe("plain");
    expect(origin.requests.map(hostHeader)).toEqual(["users.internal", "users.internal:80"]);
  });

  it("uses TLS for an https:// target, with an http: URL", async () => {
    const certificate = root.issue("users", { names: ["users.internal"] });
    await using origin = await startTlsOrigin({ ...certificate, answer: ok("secure") });
    await using worker = await startTestWorker({
      config: { ca: [ca], services: { [SERVICE]: `https://127.0.0.1:${origin.port}` } },
      ops: { text },
    });
    expect(await worker.call("text", ["API", "http://users.internal/plain"])).toBe("secure");
    expect(origin.handshakes.map(({ serverName }) => serverName)).toEqual(["users.internal"]);
    expect(hostHeader(origin.requests[0])).toBe("users.internal");
  });
});

describe("a VPC Network", () => {
  const certificate = root.issue("any", { names: ["a.internal", "b.internal"] });

  it("uses the host and port of the URL; a second request needs no handshake", async () => {
    await using origin = await startTlsOrigin({ ...certificate, answer: ok("a") });
    await using worker = await startTestWorker({
      config: { ca: [ca], networks: { [TUNNEL]: { routes: { "*.internal:8443": `127.0.0.1:${origin.port}` } } } },
      ops: { text },
    });
    for (const _ of [1, 2]) expect(await worker.call("text", ["NET", "https://a.internal:8443/"])).toBe("a");
    expect(await worker.call("text", ["NET", "https://b.internal:8443/"])).toBe("a");
    expect(origin.handshakes.map(({ serverName }) => serverName)).toEqual(["a.internal", "b.internal"]);
    expect(origin.requests.map(hostHeader)).toEqual([...Array(2).fill("a.internal:8443"), "b.internal:8443"]);
  });

  it("streams both ways at once", async () => {
    // Echoes the body of the chunked request as the body of a chunked response.
    await using origin = await startTlsOrigin({
      ...certificate,
      serve: (socket) =>
        socket.once("data", (head) => {
          socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
          socket.write(head.subarray(head.indexOf("\r\n\r\n") + 4));
          socket.pipe(socket);
        }),
    });
    await using worker = await startTestWorker({
      config: { ca: [ca], networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${origin.port}` } } } },
      ops: {
        async talk(env) {
          const { readable, writable } = new TransformStream();
          const writer = writable.getWriter();
          const encoder = new TextEncoder();
          void writer.write(encoder.encode("one"));
          const response = await env.NET.fetch("https://a.internal/", { method: "POST", body: readable });
          const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
          const received = [(await reader.read()).value];
          for (const word of ["two", "three"]) {
            await writer.write(encoder.encode(word));
            received.push((await reader.read()).value);
          }
          await writer.close();
          return [...received, (await reader.read()).done];
        },
      },
    });
    expect(await worker.call("talk")).toEqual(["one", "two", "three", true]);
  });

  it("upgrades to a WebSocket over TLS", async () => {
    const server = https.createServer(certificate).listen(0, "127.0.0.1");
    await once(server, "listening");
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (socket) =>
      socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)),
    );
    const { port } = server.address() as AddressInfo;
    try {
      await using worker = await startTestWorker({
        config: { ca: [ca], networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${port}` } } } },
        ops: {
          async echo(env) {
            const response = await env.NET.fetch("https://a.internal/", { headers: { Upgrade: "websocket" } });
            const socket = response.webSocket;
            socket.accept();
            const answer = new Promise((resolve) => {
              socket.addEventListener("message", (event: { data: unknown }) => resolve(event.data));
            });
            socket.send("hello");
            const data = await answer;
            const closed = new Promise((resolve) => {
              socket.addEventListener("close", (event: { code: number }) => resolve(event.code));
            });
            socket.close(4001);
            return [response.status, data, await closed];
          },
        },
      });
      expect(await worker.call("echo")).toEqual([101, "echo hello", 4001]);
    } finally {
      sockets.close();
      server.close();
      server.closeAllConnections();
    }
  });

  it("explains the problem if the target doesn't speak TLS", async () => {
    await using plain = await startTcpServer((socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    );
    await using worker = await startTestWorker({
      config: { networks: { [TUNNEL]: { routes: { "a.internal": `127.0.0.1:${plain.port}` } } } },
      ops: { text },
    });
    await expect(worker.call("text", ["NET", "https://a.internal/"])).rejects.toThrow(
      /^ProxyError: tls_protocol_error$/,
    );
    await vi.waitFor(() => expect(worker.output()).toContain("the target's answer isn't TLS (route \"a.internal\","));
    expect(worker.output()).toContain('If it speaks plain HTTP, write "http://host:port".');
  });
});
