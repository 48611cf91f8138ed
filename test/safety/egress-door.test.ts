/** A Worker's requests and a target's responses can't make the egress proxy reach a target without a route. */

import { readdirSync } from "node:fs";
import os from "node:os";
import { Miniflare } from "miniflare";
import { withVpc } from "miniflare-vpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, startTcpServer } from "../servers/tcp-server.ts";
import { type TestWorker, TUNNEL, startTestWorker, type TestEnv } from "../setup/test-worker.ts";

interface Attack {
  url: string;
  headers?: Record<string, string>;
  method?: string;
  body?: string;
  cf?: object;
}

const ops = {
  /** @returns the text of the response, or the error */
  try: async (env: TestEnv, { url, ...init }: Attack) => {
    try {
      return await (await env.NET.fetch(url, init)).text();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};

const stack = new AsyncDisposableStack();
let origin: HttpOrigin;
let vault: TestServer;
let worker: TestWorker;

beforeAll(async () => {
  origin = stack.use(
    await startHttpOrigin((request) =>
      request.startsWith("GET /redirect")
        ? `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${vault.port}/\r\nContent-Length: 0\r\n\r\n`
        : ok("origin"),
    ),
  );
  vault = stack.use(await startTcpServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nsecret")));
  const routes = { "known.internal": `127.0.0.1:${origin.port}`, "*.internal": "localhost" };
  worker = stack.use(await startTestWorker({ config: { networks: { [TUNNEL]: { routes } } }, ops }));
});
afterAll(() => stack.disposeAsync());

/** An order that would make the proxy connect to the vault. */
function order(): object {
  return {
    op: "http",
    target: { type: "address", host: "127.0.0.1", port: vault.port },
    limits: { connectTimeout: 5000, dnsTimeout: 5000 },
  };
}

/** The same target through the direct path and through the proxy. */
const paths: [path: string, url: () => string][] = [
  ["direct path", () => "http://known.internal"],
  ["egress proxy", () => `http://a.internal:${origin.port}`],
];

describe.each(paths)("%s", (_, base) => {
  const attacks: [what: string, attack: () => Omit<Attack, "url">][] = [
    ["a forged order in a header", () => ({ headers: { "x-miniflare-vpc-order": JSON.stringify(order()) } })],
    [
      "a forged order in a header with unusual case",
      () => ({ headers: { "X-Miniflare-VPC-Order": JSON.stringify(order()) } }),
    ],
    ["a forged order in `cf`", () => ({ cf: order() })],
    ["a forged secret", () => ({ headers: { "x-miniflare-vpc-secret": "guessed" } })],
    ["a forged failure", () => ({ headers: { "x-miniflare-vpc-failure": '{"code":"dns_error"}' } })],
    ["another Host", () => ({ headers: { Host: `127.0.0.1:${vault.port}` } })],
    ["a Connection field that names the order", () => ({ headers: { Connection: "x-miniflare-vpc-order" } })],
    ["proxy fields", () => ({ headers: { "Proxy-Authorization": "x", "Proxy-Connection": "keep-alive" } })],
    ["an upgrade to a tunnel", () => ({ headers: { Upgrade: "connect-tcp", Connection: "upgrade" } })],
    [
      "a second request after a short Content-Length",
      () => ({ method: "POST", body: `0\r\n\r\nGET / HTTP/1.1\r\n\r\n`, headers: { "Content-Length": "3" } }),
    ],
    [
      "a second request after the last chunk",
      () => ({
        method: "POST",
        body: `0\r\n\r\nCONNECT egress:1 HTTP/1.1\r\nx-miniflare-vpc-order: ${JSON.stringify(order())}\r\n\r\n`,
        headers: { "Transfer-Encoding": "chunked" },
      }),
    ],
    [
      "Content-Length and Transfer-Encoding",
      () => ({
        method: "POST",
        body: "5",
        headers: { "Content-Length": "1", "Transfer-Encoding": "identity, chunked" },
      }),
    ],
  ];

  test.each(attacks)("%s", async (_, attack) => {
    const before = origin.requests.length;
    const answer = await worker.call("try", { url: `${base()}/`, ...attack() });
    expect(answer).toBe("origin");
    expect(vault.accepted).toBe(0);
    // One request, not two.
    expect(origin.requests).toHaveLength(before + 1);
    expect(origin.requests.at(-1)).not.toMatch(/vpc-secret: (?!guessed)/i);
  });

  test("a redirect is a new decision", async () => {
    const answer = await worker.call("try", { url: `${base()}/redirect` });
    expect(answer).toBe("ProxyError: destination_ip_unroutable");
    expect(vault.accepted).toBe(0);
  });

  test.each(["\r\n", "\r\nx-miniflare-vpc-order: {}", "\0", "\n"])("a line break in a field: %j", async (text) => {
    const answer = await worker.call("try", { url: `${base()}/`, headers: { "x-odd": `a${text}b` } });
    expect(answer).toMatch(/^Invalid|header/i);
  });
});

/** Directories of the egress proxies of this process. */
function directories(): string[] {
  return readdirSync(os.tmpdir()).filter((name) => name.startsWith(`mvpc-${process.pid}-`));
}

test("all instances in a process share one proxy, even after reloads", async () => {
  const options = {
    workers: [
      {
        config: {
          name: "app",
          compatibilityDate: "2026-11-01",
          manifest: {
            mainModule: "main.js",
            modules: {
              "main.js": {
                type: "esm" as const,
                contents: `export default { fetch: (request, env) => env.NET.fetch("http://a.internal:${origin.port}/") }`,
              },
            },
          },
          env: { NET: { type: "vpc-network", tunnelId: TUNNEL } },
        },
      },
    ],
  } as never;
  const config = { networks: { [TUNNEL]: { routes: { "*.internal": "localhost" } } } };
  const miniflare = new Miniflare(withVpc(options, { config }));
  try {
    const before = directories();
    for (let reload = 0; reload < 3; reload++) {
      const response = await miniflare.dispatchFetch("http://app/");
      expect(await response.text()).toBe("origin");
      await miniflare.setOptions(withVpc(options, { config }));
    }
    expect(directories()).toEqual(before);
    expect(before).toHaveLength(1);
  } finally {
    await miniflare.dispose();
  }
});
