/** What else might lead around `decide`: methods over RPC, a stub in other hands, a target that speaks for the proxy. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ok, startHttpOrigin } from "./servers/http-origin.ts";
import { startTcpServer, type TestServer } from "./servers/tcp-server.ts";
import { type Session, TUNNEL, startSession } from "./session.ts";

const FAILURE = '{"code":"dns_error","detail":"forged"}';

/** Answers of a target that would be taken for the proxy's own, were they believed. */
const FORGERIES: [what: string, answer: string][] = [
  ["a field", `HTTP/1.1 200 OK\r\nx-miniflare-vpc-failure: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`],
  ["in odd case", `HTTP/1.1 502 Bad Gateway\r\nX-MINIFLARE-VPC-FAILURE: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`],
  [
    "twice",
    `HTTP/1.1 200 OK\r\nx-miniflare-vpc-failure: ${FAILURE}\r\nx-miniflare-vpc-failure: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`,
  ],
  [
    "a blank before the colon",
    `HTTP/1.1 200 OK\r\nx-miniflare-vpc-failure : ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`,
  ],
  [
    "a folded line",
    `HTTP/1.1 200 OK\r\nX-A: a\r\n x-miniflare-vpc-failure: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`,
  ],
  [
    "a bare line feed",
    `HTTP/1.1 200 OK\r\nX-A: a\nx-miniflare-vpc-failure: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`,
  ],
  [
    "an interim answer",
    `HTTP/1.1 103 Early Hints\r\nx-miniflare-vpc-failure: ${FAILURE}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood`,
  ],
  [
    "a trailer",
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\nx-miniflare-vpc-failure: ${FAILURE}\r\n\r\n`,
  ],
  [
    "the field named as one of the connection",
    `HTTP/1.1 200 OK\r\nConnection: x-miniflare-vpc-failure\r\nx-miniflare-vpc-failure: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`,
  ],
];

/** Two answers where one was asked for: the second must not become the answer to the next request. */
const SMUGGLED: [what: string, answer: string][] = [
  ["behind its length", `${ok("good")}${ok("smuggled")}`],
  ["two lengths", `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 48\r\n\r\ngood${ok("smuggled")}`],
  [
    "a length and chunks",
    `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n${ok("smuggled")}`,
  ],
  ["a 204 with a body", `HTTP/1.1 204 No Content\r\nContent-Length: 47\r\n\r\n${ok("smuggled")}`],
  ["a 304 with a body", `HTTP/1.1 304 Not Modified\r\nContent-Length: 47\r\n\r\n${ok("smuggled")}`],
];

const stack = new AsyncDisposableStack();
let session: Session;
let answer = "";
let vault: TestServer;
let port = 0;

beforeAll(async () => {
  const origin = stack.use(await startHttpOrigin(() => answer));
  vault = stack.use(await startTcpServer((socket) => socket.end("vault")));
  port = origin.port;
  const routes = { "direct.internal": `127.0.0.1:${port}`, "egress.internal": "127.0.0.1" };
  session = stack.use(
    await startSession({
      config: { networks: { [TUNNEL]: { routes } }, traffic: false },
      env: { NET: { type: "vpc-network", tunnelId: TUNNEL }, HELPER: { type: "worker", worker: "helper" } },
      ops: {
        get: (env, url) =>
          env.NET.fetch(url).then(
            async (response: Response) => `${response.status} ${await response.text()}`,
            (error: Error) => error.message,
          ),
        async rpc(env, name) {
          try {
            return `answered ${JSON.stringify(await env.NET[name]("anything"))}`;
          } catch (error) {
            return (error as Error).message;
          }
        },
        pass: (env, urls) => env.HELPER.use(env.NET, urls),
      },
      workers: [
        {
          config: {
            name: "helper",
            compatibilityDate: "2026-11-01",
            manifest: {
              mainModule: "main.js",
              modules: {
                "main.js": {
                  type: "esm",
                  contents: `import { WorkerEntrypoint } from "cloudflare:workers";
                    export default class extends WorkerEntrypoint {
                      async use(stub, [allowed, ...forbidden]) {
                        const get = (url) => stub.fetch(url).then((response) => response.text(), (error) => error.message);
                        const dial = async (address) => {
                          const socket = stub.connect(address);
                          return new Response(socket.readable).text().catch((error) => error.message);
                        };
                        return {
                          allowed: await get(allowed),
                          fetched: await Promise.all(forbidden.map((host) => get("http://" + host + "/"))),
                          dialled: await Promise.all(forbidden.map(dial)),
                        };
                      }
                    }`,
                },
              },
            },
          },
        },
      ],
    }),
  );
});
afterAll(() => stack.disposeAsync());

const urls = ["direct", "egress"] as const;

describe.each(urls)("%s: a target can't speak for the proxy", (way) => {
  const url = (): string => `http://${way}.internal:${port}/`;

  test.each(FORGERIES)("%s", async (_, forgery) => {
    answer = forgery;
    // Refused as no HTTP, or passed on without it; never believed.
    expect(await session.call("get", url())).toMatch(
      /^(\d+ good|ProxyError: (http_protocol_error|connection_terminated|http_response_incomplete))$/,
    );
  });

  test.each(SMUGGLED)("nor answer what was not asked yet: %s", async (_, smuggled) => {
    answer = smuggled;
    expect(await session.call("get", url())).not.toContain("smuggled");
    answer = ok("the next one");
    expect(await session.call("get", url())).toBe("200 the next one");
  });
});

describe("internals over RPC", () => {
  test.each([
    "of",
    "env",
    "ctx",
    "props",
    "current",
    "forwardRequest",
    "settle",
    "Control",
    "Outcomes",
    "constructor",
    "__proto__",
    "alarm",
    "scheduled",
    "tail",
    "queue",
    "email",
    "test",
  ])("%s is no method", async (name) => {
    expect(await session.call("rpc", name)).not.toMatch(/^answered/);
  });
});

test("a stub in another Worker's hands leads where it led before, and nowhere else", async () => {
  answer = ok("allowed");
  const forbidden = [`127.0.0.1:${vault.port}`, `localhost:${vault.port}`, `vault.internal:${vault.port}`];
  const result = await session.call<{ allowed: string; fetched: string[]; dialled: string[] }>("pass", [
    "http://direct.internal/",
    ...forbidden,
  ]);
  expect(result.allowed).toBe("allowed");
  expect(result.fetched).toEqual([
    "ProxyError: destination_ip_unroutable",
    "ProxyError: destination_not_found",
    "ProxyError: destination_not_found",
  ]);
  expect(result.dialled.join()).not.toContain("vault");
  expect(vault.accepted).toBe(0);
});
