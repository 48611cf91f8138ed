/**
 * Everything of ours that listens, asked by one who has no business with it: another user, a web page on the
 * developer's machine, a name that was rebound to loopback.
 */

import { execFile } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import type http from "node:http";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ORDER_HEADER } from "../service-worker/egress-protocol.ts";
import { captureConfigs } from "./capnp/capture.ts";
import { readConfig } from "./capnp/read-config.ts";
import { ok, startHttpOrigin } from "./servers/http-origin.ts";
import { startTcpServer, type TestServer } from "./servers/tcp-server.ts";
import { type Session, TUNNEL, startSession } from "./session.ts";

let session: Session;
let vault: TestServer;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const origin = stack.use(await startHttpOrigin(ok("origin")));
  vault = stack.use(await startTcpServer((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nvault")));
  const routes = { "a.internal": `127.0.0.1:${origin.port}` };
  session = stack.use(
    await startSession({
      config: { networks: { [TUNNEL]: { routes } } },
      ops: { get: async (env) => (await env.NET.fetch("http://a.internal/")).text() },
    }),
  );
});
afterAll(() => stack.disposeAsync());

/** What a page can have a browser send: fields of its own only after a preflight, which is what the first one is. */
const FROM_A_PAGE: [what: string, method: string, headers: Record<string, string>, body?: string][] = [
  [
    "a preflight",
    "OPTIONS",
    { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": `authorization,${ORDER_HEADER}` },
  ],
  ["a request to a private network", "OPTIONS", { "Access-Control-Request-Private-Network": "true" }],
  ["a simple GET", "GET", {}],
  ["a form", "POST", { "Content-Type": "text/plain" }, '{"version":1,"generation":1e9}'],
  [
    "a beacon without an origin",
    "POST",
    { Origin: "null", "Content-Type": "application/x-www-form-urlencoded" },
    "a=b",
  ],
  [
    "a WebSocket",
    "GET",
    {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    },
  ],
  ["a guess", "POST", { Authorization: "Bearer guess" }, "{}"],
  ["another scheme", "POST", { Authorization: "Basic Og==" }, "{}"],
  ["an empty secret", "POST", { Authorization: "Bearer " }, "{}"],
];
const PAGE = { Host: "rebound.attacker.example:1234", Origin: "https://attacker.example" };

/** Private directories of this process, with the sockets of its sessions. */
function directories(): string[] {
  return readdirSync(os.tmpdir())
    .filter((name) => name.startsWith(`mvpc-${process.pid}-`))
    .map((name) => path.join(os.tmpdir(), name));
}

describe("on this system nothing of ours listens but sockets in a private directory", () => {
  test("which no other user can enter", () => {
    expect(directories()).toHaveLength(1);
    for (const directory of directories()) {
      expect(statSync(directory).mode & 0o777).toBe(0o700);
      const names = readdirSync(directory);
      expect(names).toContain("egress.sock");
      expect(names.filter((name) => !statSync(path.join(directory, name)).isSocket())).toEqual([]);
    }
  });

  describe("the socket for edits", () => {
    test.each(FROM_A_PAGE)("%s is refused, and changes nothing", async (_, method, headers, body) => {
      const [directory = ""] = directories();
      const controls = readdirSync(directory).filter((name) => name !== "egress.sock");
      expect(controls).not.toEqual([]);
      for (const name of controls) {
        const answer = await send(
          { socketPath: path.join(directory, name), method, headers: { ...PAGE, ...headers } },
          body,
        );
        expect(answer.status).toBe(403);
        expect(Object.keys(answer.headers).filter((field) => field.startsWith("access-control"))).toEqual([]);
      }
      expect(await session.call("get")).toBe("origin");
    });
  });

  describe("the egress proxy", () => {
    test.each(FROM_A_PAGE)("%s is refused, and reaches nothing", async (_, method, headers, body) => {
      const [directory = ""] = directories();
      const order = { op: "http", target: { type: "address", host: "127.0.0.1", port: vault.port }, limits: {} };
      const answer = await send(
        {
          socketPath: path.join(directory, "egress.sock"),
          method,
          headers: { ...PAGE, [ORDER_HEADER]: JSON.stringify(order), ...headers },
        },
        body,
      );
      expectNothing(answer);
      expect(vault.accepted).toBe(0);
    });
  });
});

test("where the egress proxy has to listen on loopback, a page gets nothing from it", async () => {
  const server = fileURLToPath(new URL("../plugin/egress/server.ts", import.meta.url));
  const order = { op: "http", target: { type: "address", host: "127.0.0.1", port: vault.port }, limits: {} };
  const source = `
    import { egressProxy } from ${JSON.stringify(server)};
    const { address } = await egressProxy();
    const [host, port] = address.split(":");
    ${send.toString()}
    const answers = [];
    for (const [, method, headers, body] of ${JSON.stringify(FROM_A_PAGE)}) {
      const all = { ...${JSON.stringify(PAGE)}, ${JSON.stringify(ORDER_HEADER)}: ${JSON.stringify(JSON.stringify(order))}, ...headers };
      answers.push(await send({ host, port, method, headers: all }, body));
    }
    console.log(JSON.stringify({ host, answers }));
    process.exit();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      // What the code asks; everything it then does works here as well.
      "--import=data:text/javascript,Object.defineProperty(process,'platform',{value:'win32'})",
      "--experimental-strip-types",
      "--no-warnings",
      "--input-type=module",
      "-e",
      source,
    ],
    { env: { ...process.env, TEMP: os.tmpdir() } },
  );
  const { host, answers } = JSON.parse(stdout) as { host: string; answers: Answer[] };
  expect(host).toBe("127.0.0.1");
  expect(answers).toHaveLength(FROM_A_PAGE.length);
  for (const answer of answers) expectNothing(answer);
  expect(vault.accepted).toBe(0);
});

test("nor from the socket for edits, where that has to", async () => {
  const own = Object.getOwnPropertyDescriptor(process, "platform");
  Object.defineProperty(process, "platform", { ...own, value: "win32" });
  const config = { networks: { [TUNNEL]: { routes: {} } } };
  const capturing = captureConfigs(() => startSession({ config, ops: { get: (env) => env.NET.fetch("http://a/") } }));
  const { result, configs } = await capturing.finally(() => {
    if (own !== undefined) Object.defineProperty(process, "platform", own);
  });
  await using other = result;
  const { sockets } = readConfig(configs[0] ?? new Uint8Array());
  const address = sockets.find(({ name }) => name === "miniflare-vpc:control")?.address ?? "";
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  const [host, port] = address.split(":");
  for (const [, method, headers, body] of FROM_A_PAGE) {
    const answer = await send({ host, port, path: "/table", method, headers: { ...PAGE, ...headers } }, body);
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).filter((field) => field.startsWith("access-control"))).toEqual([]);
  }
  await expect(other.call("get")).rejects.toThrow("ProxyError: destination_not_found");
});

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Its source runs in another process, too. */
function send(options: http.RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Not the import, which goes by another name where this file was transformed.
    const request = process.getBuiltinModule("node:http").request({ agent: false, ...options });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.end(body);
  });
}

function expectNothing({ status, headers, body }: Answer): void {
  expect(status).toBe(403);
  expect(body).toBe("");
  expect(Object.keys(headers).filter((field) => field.startsWith("access-control"))).toEqual([]);
}
