/** A session whose Node process takes this machine for Windows: what is decided there, and the loopback port of the egress proxy. */

import dns from "node:dns";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { pretend } from "../setup/platform.ts";
import { type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const stack = new AsyncDisposableStack();
let worker: TestWorker;
let origin: Awaited<ReturnType<typeof startHttpOrigin>>;
let database: Awaited<ReturnType<typeof startTcpServer>>;

type Answer = (...found: unknown[]) => void;

/** How often Node looked localhost up. */
let asked = 0;

beforeAll(async () => {
  // Windows knows both addresses of localhost, whatever its hosts file says.
  const { lookup } = dns;
  vi.spyOn(dns, "lookup").mockImplementation(((host: string, options: dns.LookupOptions, answer: Answer) => {
    if (host !== "localhost") return lookup(host, options, answer);
    asked++;
    return answer(null, [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ]);
  }) as typeof dns.lookup);
  // Only on ::1, as Vite does it.
  origin = stack.use(await startHttpOrigin(ok("here"), { host: "::1" }));
  database = stack.use(await startTcpServer(echo, { host: "::1" }));
  using _ = pretend("win32");
  worker = stack.use(
    await startTestWorker({
      config: {
        networks: {
          NET: {
            routes: {
              "web.internal": `localhost:${origin.port}`,
              "db.internal": `localhost:${database.port}`,
              "literal.internal": `[::1]:${origin.port}`,
            },
          },
        },
      },
      ops: {
        get: async ({ NET }, host: string) => await (await NET.fetch(`http://${host}/`)).text(),
        echo: async ({ NET }) => {
          const socket = await NET.connect("db.internal:5432");
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode("ping"));
          await writer.close();
          return await new Response(socket.readable).text();
        },
      },
    }),
  );
});
afterAll(async () => {
  vi.restoreAllMocks();
  await stack.disposeAsync();
});

test("a server that listens only on ::1 is reached as localhost, by fetch and by connect, through Node", async () => {
  expect(await worker.call("get", "web.internal")).toBe("here");
  expect(await worker.call("echo")).toBe("ping");
  expect(asked).toBe(2);
  // An address is dialled by workerd.
  expect(await worker.call("get", "literal.internal")).toBe("here");
  expect(asked).toBe(2);
});
