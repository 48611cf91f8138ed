/** Other ways to bypass `decide`: methods over RPC, a stub in other hands, a target that forges the proxy's fields. */

import path from "node:path";

import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer, type TestServer } from "../servers/tcp-server.ts";
import { type TestWorker, TUNNEL, startTestWorker, type VpcFetcher } from "../setup/test-worker.ts";

const FAILURE = '{"code":"dns_error","detail":"forged"}';

/** Responses of a target that imitate a failure of the proxy. */
const FORGERIES: [what: string, answer: string][] = [
  ["a field", `HTTP/1.1 200 OK\r\nx-miniflare-vpc-failure: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`],
  [
    "in unusual case",
    `HTTP/1.1 502 Bad Gateway\r\nX-MINIFLARE-VPC-FAILURE: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`,
  ],
  [
    "twice",
    `HTTP/1.1 200 OK\r\nx-miniflare-vpc-failure: ${FAILURE}\r\nx-miniflare-vpc-failure: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`,
  ],
  [
    "a space before the colon",
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
    "an interim response",
    `HTTP/1.1 103 Early Hints\r\nx-miniflare-vpc-failure: ${FAILURE}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood`,
  ],
  [
    "a trailer",
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\nx-miniflare-vpc-failure: ${FAILURE}\r\n\r\n`,
  ],
  [
    "the field named in Connection",
    `HTTP/1.1 200 OK\r\nConnection: x-miniflare-vpc-failure\r\nx-miniflare-vpc-failure: ${FAILURE}\r\nContent-Length: 4\r\n\r\ngood`,
  ],
];

/** Two responses to one request: the second must not become the response to the next request. */
const SMUGGLED: [what: string, answer: string][] = [
  ["after its Content-Length", `${ok("good")}${ok("smuggled")}`],
  ["two Content-Lengths", `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 48\r\n\r\ngood${ok("smuggled")}`],
  [
    "a Content-Length and chunks",
    `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n${ok("smuggled")}`,
  ],
  ["a 204 with a body", `HTTP/1.1 204 No Content\r\nContent-Length: 47\r\n\r\n${ok("smuggled")}`],
  ["a 304 with a body", `HTTP/1.1 304 Not Modified\r\nContent-Length: 47\r\n\r\n${ok("smuggled")}`],
];

/** Any name can be called on a binding over RPC. */
type Door = VpcFetcher & Record<string, (...values: unknown[]) => Promise<unknown>>;

const stack = new AsyncDisposableStack();
let worker: TestWorker;
let answer = "";
let vault: TestServer;
let port = 0;

beforeAll(async () => {
  const origin = stack.use(await startHttpOrigin(() => answer));
  vault = stack.use(await startTcpServer((socket) => socket.end("vault")));
  port = origin.port;
  const routes = { "direct.internal": `127.0.0.1:${port}`, "egress.internal": "localhost" };
  worker = stack.use(
    await startTestWorker<{ NET: Door; HELPER: { use(binding: Door, urls: string[]): unknown } }>({
      // Lets a Worker send events to another one.
      compatibilityFlags: ["experimental", "service_binding_extra_handlers"],
      config: { networks: { [TUNNEL]: { routes } }, traffic: false },
      env: { NET: { type: "vpc-network", tunnelId: TUNNEL }, HELPER: { type: "worker", worker: "helper" } },
      ops: {
        get: (env, url: string) =>
          env.NET.fetch(url).then(
            async (response) => `${response.status} ${await response.text()}`,
            (error: Error) => error.message,
          ),
        async rpc(env, name: string) {
          try {
            return `answered ${JSON.stringify(await env.NET[name]!("anything"))}`;
          } catch (error) {
            return (error as Error).message;
          }
        },
        /** Removes the platform's own methods, so that every name is called over RPC. */
        async bare(env, name: string) {
          const prototype = Object.getPrototypeOf(env.NET);
          const own = Object.getOwnPropertyDescriptors(prototype);
          const facade = Object.getOwnPropertyDescriptors(env.NET);
          const parent = Object.getPrototypeOf(prototype);
          try {
            for (const key of Object.keys(facade)) delete env.NET[key];
            for (const key of Object.keys(own)) if (key !== "constructor") delete prototype[key];
            Object.setPrototypeOf(prototype, null);
            const forged = {
              url: "http://direct.internal/",
              method: "GET",
              opened: { localAddress: "direct.internal:1" },
            };
            return `answered ${String(await env.NET[name]!(forged))}`;
          } catch (error) {
            return (error as Error).message;
          } finally {
            Object.setPrototypeOf(prototype, parent);
            Object.defineProperties(prototype, own);
            Object.defineProperties(env.NET, facade);
          }
        },
        events: async (env) => [
          await env.NET.scheduled!({ cron: "* * * * *" }),
          await env.NET.queue!("jobs", [{ id: "1", timestamp: new Date(0), attempts: 1, body: "x" }]),
        ],
        pass: (env, urls: string[]) => env.HELPER.use(env.NET, urls),
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

describe.each(urls)("%s: a target can't forge the proxy's fields", (way) => {
  const url = (): string => `http://${way}.internal:${port}/`;

  test.each(FORGERIES)("%s", async (_, forgery) => {
    answer = forgery;
    // Refused as invalid HTTP, or forwarded without the field.
    expect(await worker.call("get", url())).toMatch(
      /^(\d+ good|ProxyError: (http_protocol_error|connection_terminated|http_response_incomplete))$/,
    );
  });

  test.each(SMUGGLED)("it can't answer the next request: %s", async (_, smuggled) => {
    answer = smuggled;
    expect(await worker.call("get", url())).not.toContain("smuggled");
    answer = ok("the next one");
    expect(await worker.call("get", url())).toBe("200 the next one");
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
    "catchUp",
    "run",
    "watch",
    "failConnection",
    "keepFunction",
    "dropFunctions",
    "keep",
    "respond",
    "Relay",
    "TableFollower",
    "TestDoor",
    "TestFunctions",
    "constructor",
    "__proto__",
    "alarm",
    "scheduled",
    "tail",
    "queue",
    "email",
    "test",
  ])("%s is not a method", async (name) => {
    expect(await worker.call("rpc", name)).not.toMatch(/^answered/);
  });

  test.each([
    "fetch",
    "connect",
    "toString",
    "valueOf",
    "__proto__",
    "hasOwnProperty",
    "__defineGetter__",
    "dup",
    "of",
  ])("%s is not a method without the platform's own", async (name) => {
    expect(await worker.call("bare", name)).toMatch(/is a reserved method|does not implement the method/);
    answer = ok("still there");
    expect(await worker.call("get", "http://direct.internal/")).toBe("200 still there");
  });

  test("the error for an unknown method names it", async () => {
    expect(await worker.call("rpc", "users")).toBe('The RPC receiver does not implement the method "users".');
  });

  test("only requests and connections are accepted as events", async () => {
    expect(await worker.call("events")).toEqual([
      expect.objectContaining({ outcome: "exception" }),
      expect.objectContaining({ outcome: "exception" }),
    ]);
  });

  test("the exports have two handlers and the methods listed here", async () => {
    // Replaces workerd's modules.
    const { outputFiles } = await build({
      entryPoints: [path.resolve(import.meta.dirname, "../../service-worker/index.ts")],
      bundle: true,
      write: false,
      format: "esm",
      plugins: [
        {
          name: "workerd",
          setup(bundle) {
            bundle.onResolve({ filter: /^cloudflare:/ }, ({ path: name }) => ({ path: name, namespace: "workerd" }));
            bundle.onLoad({ filter: /.*/, namespace: "workerd" }, () => ({
              contents: `
                export const env = { TABLE: { bindings: {}, networks: [] } };
                export class WorkerEntrypoint {}
                export class DurableObject {}
                export const connect = undefined;`,
            }));
          },
        },
      ],
    });
    const code = outputFiles[0]?.text ?? "";
    const exported: Record<string, object> = await import(`data:text/javascript,${encodeURIComponent(code)}`);
    const methods = Object.entries(exported).map(([name, value]) => [
      name,
      Object.getOwnPropertyNames(typeof value === "function" ? value.prototype : value).filter(
        (key) => key !== "constructor",
      ),
    ]);
    expect(Object.fromEntries(methods)).toEqual({
      default: ["fetch", "connect"],
      // Only for code in Node.
      NodeBinding: ["fetch", "connect"],
      Relay: ["connect"],
      TableFollower: ["catchUp"],
      // Only where vitest runs is there a binding to these.
      TestDoor: ["run", "watch", "keepFunction", "failConnection", "dropFunctions"],
      TestFunctions: ["keep", "watch", "drop", "call"],
    });
    expect(Object.getPrototypeOf(exported["default"])).toBe(Object.prototype);
  });
});

test("a stub in another Worker's hands reaches the same targets and no others", async () => {
  answer = ok("allowed");
  const forbidden = [`127.0.0.1:${vault.port}`, `localhost:${vault.port}`, `vault.internal:${vault.port}`];
  const result = await worker.call<{ allowed: string; fetched: string[]; dialled: string[] }>("pass", [
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
