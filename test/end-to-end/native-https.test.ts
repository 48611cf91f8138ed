/**
 * https to a known host: its first request goes through the egress proxy, the later ones through workerd's own client. The
 * origin says which of them came: only the proxy names a protocol in the handshake (ALPN).
 */

import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import https from "node:https";
import type net from "node:net";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import type tls from "node:tls";
import { pathToFileURL } from "node:url";
import { WebSocketServer } from "ws";
import { afterAll, afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import type { VpcConfig } from "../../plugin/config.ts";
import { ok } from "../servers/http-origin.ts";
import { reset, startTcpServer } from "../servers/tcp-server.ts";
import { type Certified, makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import { type TlsOrigin, type TlsOriginOptions, startTlsOrigin } from "../servers/tls-server.ts";
import { SERVICE, TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "vpc-native-https-"));
afterAll(() => rm(folder, { recursive: true }));
// This machine may have mkcert's root.
beforeEach(() => void vi.stubEnv("CAROOT", path.join(folder, "no-mkcert")));
afterEach(() => void vi.unstubAllEnvs());

const HOST = "a.internal";
const URL_OF_HOST = `https://${HOST}/`;
const root = makeAuthority("Test root");
const ca = path.join(folder, "root.pem");
await writeFile(ca, root.cert);
const good = root.issue("origin", { names: [HOST, "users.internal"] });

const ops = {
  text: async (env: TestEnv, [binding, url, init]: [keyof TestEnv, string, RequestInit?]): Promise<string> =>
    (await env[binding].fetch(url, init)).text(),
};

function tellProtocol(_request: string, socket: net.Socket): string {
  return ok((socket as tls.TLSSocket).alpnProtocol || "native");
}

function startOrigin(options: TlsOriginOptions = {}): Promise<TlsOrigin> {
  return startTlsOrigin({ ...good, answer: tellProtocol, ...options });
}

function start(config: VpcConfig | string): Promise<TestWorker> {
  return startTestWorker({ config, ops });
}

function routeTo(port: number): VpcConfig {
  return { ca: [ca], connectTimeout: 1000, networks: { [TUNNEL]: { routes: { [HOST]: `127.0.0.1:${port}` } } } };
}

/** @returns what the origin says, or the error's message */
function ask(worker: TestWorker, url = URL_OF_HOST, binding: keyof TestEnv = "NET"): Promise<string> {
  return worker.call<string>("text", [binding, url]).catch((error: Error) => error.message);
}

/** Asks until the host has graduated. */
async function graduate(worker: TestWorker, url?: string, binding?: keyof TestEnv): Promise<void> {
  expect(await ask(worker, url, binding)).toBe("http/1.1");
  await expect.poll(() => ask(worker, url, binding), { interval: 5 }).toBe("native");
}

/** Asks until the proxy has certainly answered whether the host may graduate. @returns whether it never did */
async function staysProxied(worker: TestWorker): Promise<boolean> {
  const answers = new Set<string>();
  for (let count = 0; count < 20; count++) answers.add(await ask(worker));
  return answers.size === 1 && answers.has("http/1.1");
}

function stacksIn(worker: TestWorker): number {
  return worker.output().split("TLS handshake failed").length - 1;
}

function isSilent(worker: TestWorker): boolean {
  return !/stack:|workerd@|internal error|\n\s+at |Uncaught/i.test(worker.output());
}

describe("a host graduates", () => {
  it("after its first request; SNI and Host are the URL's, and nothing is printed natively", async () => {
    await using origin = await startOrigin();
    await using worker = await start(routeTo(origin.port));
    await graduate(worker, "https://A.internal:8443/path?query");
    for (const _ of [1, 2, 3]) expect(await ask(worker, "https://a.internal:8443/path?query")).toBe("native");
    expect(new Set(origin.handshakes.map(({ serverName }) => serverName))).toEqual(new Set([HOST]));
    expect(origin.handshakes.filter(({ alpn }) => alpn === null)).toHaveLength(1);
    expect(origin.requests.at(-1)).toMatch(/^GET \/path\?query HTTP\/1\.1\r\n/);
    expect(origin.requests.at(-1)).toMatch(/^Host: a\.internal:8443\r$/m);
    expect(isSilent(worker)).toBe(true);
  });

  it.each([
    ["its record names the host", "https://users.internal/", { https_port: 8443 }],
    ["its target speaks https, with an http: URL", "http://users.internal/", { http_port: 80 }],
  ])("as a VPC Service: %s", async (_, url, ports) => {
    await using origin = await startOrigin();
    const host = { hostname: "users.internal", resolver_network: { tunnel_id: TUNNEL } };
    const record = { name: "users-api", type: "http", host, ...ports } as const;
    const target = `https://127.0.0.1:${origin.port}`;
    await using worker = await start({ ca: [ca], services: { [SERVICE]: { ...record, target } } });
    await graduate(worker, url, "API");
    expect(origin.handshakes.at(-1)?.serverName).toBe("users.internal");
  });

  const intermediate = makeAuthority("Intermediate", { by: root });
  const byIntermediate = intermediate.issue("origin", { names: [HOST] });
  const self = selfSign("dev box", { names: [HOST] });
  const selfAuthority = selfSign("dev box", { names: [HOST], isAuthority: true });
  const chained = { ...byIntermediate, cert: byIntermediate.cert + intermediate.cert };
  it.each<[string, Certified, string]>([
    ["the root of an intermediate that is sent", chained, root.cert],
    ["only an intermediate", byIntermediate, intermediate.cert],
    ["the certificate of the target itself", byIntermediate, byIntermediate.cert],
    ["a self-signed certificate", self, self.cert],
    ["the self-signed certificate of an authority", selfAuthority, selfAuthority.cert],
  ])('with %s in "ca"', async (_, certified, trusted) => {
    const file = path.join(folder, "trusted.pem");
    await writeFile(file, trusted);
    await using origin = await startOrigin(certified);
    await using worker = await start({ ...routeTo(origin.port), ca: [file] });
    await graduate(worker);
    expect(isSilent(worker)).toBe(true);
  });

  it("with TLS 1.2", async () => {
    await using origin = await startOrigin({ maxVersion: "TLSv1.2" });
    await using worker = await start(routeTo(origin.port));
    await graduate(worker);
    expect(isSilent(worker)).toBe(true);
  });

  it("and a POST still goes through the proxy", async () => {
    await using origin = await startOrigin();
    await using worker = await start(routeTo(origin.port));
    await graduate(worker);
    const init = { method: "POST", body: "once" };
    expect(await worker.call("text", ["NET", URL_OF_HOST, init])).toBe("http/1.1");
    expect(await ask(worker)).toBe("native");
  });

  it("and a WebSocket goes natively", async () => {
    const protocols: (string | false | null)[] = [];
    const server = https.createServer({ ...good, ALPNProtocols: ["http/1.1"] }, (_, response) => response.end());
    server.on("secureConnection", (socket) => protocols.push(socket.alpnProtocol)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (socket) =>
      socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`)),
    );
    try {
      await using worker = await startTestWorker({
        config: routeTo((server.address() as AddressInfo).port),
        ops: {
          ...ops,
          async echo(env) {
            const response = await env.NET.fetch("https://a.internal/", { headers: { Upgrade: "websocket" } });
            const socket = response.webSocket;
            socket.accept();
            const answer = new Promise((resolve) => {
              socket.addEventListener("message", (event: { data: unknown }) => resolve(event.data));
            });
            socket.send("hello");
            const data = await answer;
            socket.close(4001);
            return data;
          },
        },
      });
      // Either of them may have sent the first one that graduates.
      await expect
        .poll(async () => {
          await ask(worker);
          return protocols.at(-1);
        })
        .toBe(false);
      const { length } = protocols.filter((protocol) => protocol !== false);
      expect(await worker.call("echo")).toBe("echo hello");
      expect(protocols.filter((protocol) => protocol !== false)).toHaveLength(length);
    } finally {
      sockets.close();
      server.close();
      server.closeAllConnections();
    }
  });
});

describe("a host doesn't graduate", () => {
  it("if only the system's own roots vouch for it", async () => {
    // They stay trusted in this process.
    const system = makeAuthority("This machine's own");
    const preload = path.join(folder, "preload.mjs");
    await writeFile(
      preload,
      `import tls from "node:tls";
       tls.getCACertificates = (type) => type === "system" ? ${JSON.stringify([system.cert])} : [];`,
    );
    vi.stubEnv("NODE_OPTIONS", `--import=${pathToFileURL(preload).href}`);
    await using origin = await startOrigin(system.issue("origin", { names: [HOST] }));
    await using worker = await start({ ...routeTo(origin.port), ca: [] });
    expect(await staysProxied(worker)).toBe(true);
    expect(isSilent(worker)).toBe(true);
  });

  it("if its certificate is that of an authority", async () => {
    await using origin = await startOrigin(root.issue("origin", { names: [HOST], isAuthority: true }));
    await using worker = await start(routeTo(origin.port));
    expect(await staysProxied(worker)).toBe(true);
    expect(isSilent(worker)).toBe(true);
  });

  it("if its key is of a type that workerd's TLS lacks", async () => {
    await using origin = await startOrigin(root.issue("origin", { names: [HOST], keyType: "ed448" }));
    await using worker = await start(routeTo(origin.port));
    expect(await staysProxied(worker)).toBe(true);
    expect(isSilent(worker)).toBe(true);
  });

  it('if "ca" is a whole store, which would be copied for each target', async () => {
    const file = path.join(folder, "store.pem");
    const store = Array.from({ length: 16 }, (_, index) => makeAuthority(`Root ${index}`).cert);
    await writeFile(file, [...store, root.cert].join(""));
    await using origin = await startOrigin();
    await using worker = await start({ ...routeTo(origin.port), ca: [file] });
    expect(await staysProxied(worker)).toBe(true);
  });

  it("if it has only a cipher that workerd lacks", async () => {
    const ciphers = "ECDHE-ECDSA-AES128-SHA256";
    await using origin = await startOrigin({ maxVersion: "TLSv1.2", ciphers });
    await using worker = await start(routeTo(origin.port));
    expect(await staysProxied(worker)).toBe(true);
    expect(isSilent(worker)).toBe(true);
  });

  it.each([{ cert_verification_mode: "verify_ca" }, { cert_verification_mode: "disabled" }] as const)(
    "with %j",
    async (settings) => {
      await using origin = await startOrigin();
      const routes = { [HOST]: `127.0.0.1:${origin.port}` };
      await using worker = await start({ ca: [ca], networks: { [TUNNEL]: { tls_settings: settings, routes } } });
      expect(await staysProxied(worker)).toBe(true);
    },
  );

  it("with a limit that workerd's own client lacks", async () => {
    await using origin = await startOrigin();
    await using worker = await start({ ...routeTo(origin.port), readTimeout: 10_000 });
    expect(await staysProxied(worker)).toBe(true);
  });
});

/** Starts another server at a port. */
type Restart = (port: number) => Promise<AsyncDisposable>;

function withTls(options: TlsOriginOptions): Restart {
  return (port) => startOrigin({ ...options, port });
}

function speaking(serve?: (socket: net.Socket) => void): Restart {
  return (port) => startTcpServer(serve, { port });
}

describe("what fails later is explained, and printed natively at most once", () => {
  const YESTERDAY = new Date(Date.now() - 24 * 60 * 60 * 1000);
  const BEFORE = new Date(YESTERDAY.getTime() - 1000);
  const stranger = makeAuthority("Stranger");
  test.each<[title: string, restart: Restart, code: string, says: string]>([
    [
      "expired",
      withTls(root.issue("origin", { names: [HOST], notBefore: BEFORE, notAfter: YESTERDAY })),
      "tls_certificate_error",
      "expired on",
    ],
    [
      "for another host",
      withTls(root.issue("b", { names: ["b.internal"] })),
      "tls_certificate_error",
      "not for a.inter",
    ],
    ["unknown root", withTls(stranger.issue("a", { names: [HOST] })), "tls_certificate_error", 'issued by "Stranger"'],
    ["self-signed", withTls(selfSign("a", { names: [HOST] })), "tls_certificate_error", "is self-signed"],
    [
      "TLS 1.0 only",
      withTls({ minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }),
      "tls_protocol_error",
      "no TLS version in common",
    ],
    [
      "a client certificate is required",
      withTls({ requestCert: true, rejectUnauthorized: true, ca: root.cert }),
      "tls_protocol_error",
      "requires a client certificate",
    ],
    [
      "a plaintext port",
      speaking((socket) => void socket.once("data", () => socket.end("HTTP/1.1 400 Bad\r\n\r\n"))),
      "tls_protocol_error",
      "the target's answer isn't TLS",
    ],
    [
      "closed in the handshake",
      speaking((socket) => void socket.once("data", () => socket.end())),
      "tls_protocol_error",
      "closed the connection during the TLS handshake",
    ],
    ["reset in the handshake", speaking(reset), "connection_terminated", "ECONNRESET"],
    ["never answers the handshake", speaking(), "connection_timeout", "no TLS handshake"],
  ])("%s", async (_, restart, code, says) => {
    const origin = await startOrigin();
    const { port } = origin;
    await using worker = await start(routeTo(port));
    try {
      await graduate(worker);
    } finally {
      await origin[Symbol.asyncDispose]();
    }
    await using later = await restart(port);
    for (let count = 0; count < 3; count++) expect(await ask(worker)).toBe(`ProxyError: ${code}`);
    await vi.waitFor(() => expect(worker.output()).toContain(says));
    expect(stacksIn(worker)).toBeLessThanOrEqual(1);
    await later[Symbol.asyncDispose]();
    await using again = await startOrigin({ port });
    expect(await ask(worker)).toMatch(/^(http\/1\.1|native)$/);
    expect(again.requests).toHaveLength(1);
  });

  test("nobody listens for a while; then it graduates again", async () => {
    const origin = await startOrigin();
    const { port } = origin;
    await using worker = await start(routeTo(port));
    await graduate(worker);
    await origin[Symbol.asyncDispose]();
    expect(await ask(worker)).toBe("ProxyError: connection_refused");
    await using later = await startOrigin({ port });
    await graduate(worker);
    expect(later.handshakes).toHaveLength(2);
    expect(isSilent(worker)).toBe(true);
  });
});

describe("a change of what is trusted", () => {
  const otherRoot = makeAuthority("Another root");

  it("of a file of the vpc config goes back to the proxy", async () => {
    const file = path.join(folder, "changing.pem");
    await writeFile(file, root.cert);
    await using origin = await startOrigin();
    await using worker = await start({ ...routeTo(origin.port), ca: [file] });
    await graduate(worker);
    await writeFile(file, otherRoot.cert);
    await expect.poll(() => ask(worker), { interval: 10 }).toBe("ProxyError: tls_certificate_error");
    await writeFile(file, otherRoot.cert + root.cert);
    await expect.poll(() => ask(worker), { interval: 10 }).toBe("http/1.1");
    expect(isSilent(worker)).toBe(true);
  });

  it("goes back to the proxy, even if the vpc config is broken at the time", async () => {
    const file = path.join(folder, "changing-too.pem");
    const config = path.join(folder, "vpc.json");
    await writeFile(file, root.cert);
    await using origin = await startOrigin();
    await writeFile(config, JSON.stringify({ ...routeTo(origin.port), ca: [file] }));
    await using worker = await start(config);
    await graduate(worker);
    await writeFile(config, "{");
    await vi.waitFor(() => expect(worker.output()).toContain("is broken"));
    expect(await ask(worker)).toBe("native");
    await writeFile(file, otherRoot.cert);
    await expect.poll(() => ask(worker), { interval: 10 }).toBe("ProxyError: tls_certificate_error");
  });

  it("of mkcert's root goes back to the proxy", async () => {
    const home = path.join(folder, "mkcert");
    await mkdir(home);
    await writeFile(path.join(home, "rootCA.pem"), root.cert);
    vi.stubEnv("CAROOT", home);
    await using origin = await startOrigin();
    await using worker = await start({ ...routeTo(origin.port), ca: [] });
    await graduate(worker);
    await writeFile(path.join(home, "rootCA.pem"), otherRoot.cert);
    await expect.poll(() => ask(worker), { interval: 10 }).toBe("ProxyError: tls_certificate_error");
  });

  it("of the mode applies at once", async () => {
    const config = path.join(folder, "mode.json");
    await using origin = await startOrigin();
    const write = (mode: string): Promise<void> => {
      const routes = { [HOST]: `127.0.0.1:${origin.port}` };
      const network = { tls_settings: { cert_verification_mode: mode }, routes };
      return writeFile(config, JSON.stringify({ ca: [ca], networks: { [TUNNEL]: network } }));
    };
    await write("verify_full");
    await using worker = await start(config);
    await graduate(worker);
    await write("disabled");
    await expect.poll(() => ask(worker), { interval: 10 }).toBe("http/1.1");
    await write("verify_full");
    await expect.poll(() => ask(worker), { interval: 10 }).toBe("native");
  });
});
