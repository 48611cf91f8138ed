/**
 * The egress proxy as a way around `decide`: whatever a Worker writes into its requests, and whatever a
 * target answers, only what a route leads to is reached.
 */

import { readdirSync } from "node:fs";
import os from "node:os";
import { Miniflare } from "miniflare";
import { withVpc } from "miniflare-vpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpOrigin, ok, startHttpOrigin } from "./servers/http-origin.ts";
import { type TestServer, startTcpServer } from "./servers/tcp-server.ts";
import { type Session, TUNNEL, startSession } from "./session.ts";

interface Attack {
  url: string;
  headers?: Record<string, string>;
  method?: string;
  body?: string;
  cf?: object;
}

const ops = {
  /** @returns what came of it, whatever that is */
  // oxlint-disable-next-line typescript/no-explicit-any
  try: async (env: any, { url, ...init }: Attack) => {
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
let session: Session;

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
  session = stack.use(await startSession({ config: { networks: { [TUNNEL]: { routes } } }, ops }));
});
afterAll(() => stack.disposeAsync());

/** What would have the proxy go to the vault, were it believed. */
function order(): object {
  return {
    op: "http",
    target: { type: "address", host: "127.0.0.1", port: vault.port },
    limits: { connectTimeout: 5000, dnsTimeout: 5000 },
  };
}

/** The same over the direct path and through the proxy. */
const paths: [path: string, url: () => string][] = [
  ["direct path", () => "http://known.internal"],
  ["egress proxy", () => `http://a.internal:${origin.port}`],
];

describe.each(paths)("%s", (_, base) => {
  const attacks: [what: string, attack: () => Omit<Attack, "url">][] = [
    ["an order of its own in a header", () => ({ headers: { "x-miniflare-vpc-order": JSON.stringify(order()) } })],
    ["the same in odd case", () => ({ headers: { "X-Miniflare-VPC-Order": JSON.stringify(order()) } })],
    ["an order of its own in `cf`", () => ({ cf: order() })],
    ["a secret of its own", () => ({ headers: { "x-miniflare-vpc-secret": "guessed" } })],
    ["a failure of its own", () => ({ headers: { "x-miniflare-vpc-failure": '{"code":"dns_error"}' } })],
    ["a Host of its own", () => ({ headers: { Host: `127.0.0.1:${vault.port}` } })],
    ["fields that make the order one of the connection", () => ({ headers: { Connection: "x-miniflare-vpc-order" } })],
    ["proxy fields", () => ({ headers: { "Proxy-Authorization": "x", "Proxy-Connection": "keep-alive" } })],
    ["an upgrade to a tunnel", () => ({ headers: { Upgrade: "connect-tcp", Connection: "upgrade" } })],
    [
      "a second request behind a shorter length",
      () => ({ method: "POST", body: `0\r\n\r\nGET / HTTP/1.1\r\n\r\n`, headers: { "Content-Length": "3" } }),
    ],
    [
      "a second request behind a last chunk",
      () => ({
        method: "POST",
        body: `0\r\n\r\nCONNECT egress:1 HTTP/1.1\r\nx-miniflare-vpc-order: ${JSON.stringify(order())}\r\n\r\n`,
        headers: { "Transfer-Encoding": "chunked" },
      }),
    ],
    [
      "two framings at once",
      () => ({
        method: "POST",
        body: "5",
        headers: { "Content-Length": "1", "Transfer-Encoding": "identity, chunked" },
      }),
    ],
  ];

  test.each(attacks)("%s", async (_, attack) => {
    const before = origin.requests.length;
    const answer = await session.call("try", { url: `${base()}/`, ...attack() });
    expect(answer).toBe("origin");
    expect(vault.accepted).toBe(0);
    // One request, not two.
    expect(origin.requests).toHaveLength(before + 1);
    expect(origin.requests.at(-1)).not.toMatch(/vpc-secret: (?!guessed)/i);
  });

  test("a redirect is decided on anew", async () => {
    const answer = await session.call("try", { url: `${base()}/redirect` });
    expect(answer).toBe("ProxyError: destination_ip_unroutable");
    expect(vault.accepted).toBe(0);
  });

  test.each(["\r\n", "\r\nx-miniflare-vpc-order: {}", "\0", "\n"])("a line break in a field: %j", async (text) => {
    const answer = await session.call("try", { url: `${base()}/`, headers: { "x-odd": `a${text}b` } });
    expect(answer).toMatch(/^Invalid|header/i);
  });
});

/** Directories of this process's egress proxies. */
function directories(): string[] {
  return readdirSync(os.tmpdir()).filter((name) => name.startsWith(`mvpc-${process.pid}-`));
}

test("it is one for all instances of the process and all their reloads", async () => {
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
