/** Redis from a Worker, with a plain socket as in Cloudflare's example, and with `ioredis`. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { startScenarios, type Scenarios } from "../clients/start-scenarios.ts";
import { closedPort } from "../servers/tcp-server.ts";
import { startTestWorker, TUNNEL } from "../setup/test-worker.ts";
import { type RedisServer, startRedisServer } from "./servers/redis.ts";

const stack = new AsyncDisposableStack();
let server: RedisServer;
let worker: Scenarios;

beforeAll(async () => {
  server = stack.use(await startRedisServer());
  const routes = {
    "redis.internal:6379": `127.0.0.1:${server.port}`,
    "10.0.1.50": `127.0.0.1:${server.port}`,
    "local.internal": `unix:${server.socket}`,
    "down.internal:6379": `127.0.0.1:${await closedPort()}`,
  };
  worker = stack.use(await startScenarios("ioredis", routes));
});
afterAll(() => stack.disposeAsync());

test.each<[string, string | { hostname: string; port: number }]>([
  ["a string", "redis.internal:6379"],
  ["a SocketAddress", { hostname: "redis.internal", port: 6379 }],
  ["an IP address", { hostname: "10.0.1.50", port: 6379 }],
])("PING to %s, then a closed writer", async (_form, address) => {
  const routes = { "redis.internal:6379": `127.0.0.1:${server.port}`, "10.0.1.50": `127.0.0.1:${server.port}` };
  await using worker = await startTestWorker({
    config: { networks: { [TUNNEL]: { routes } } },
    ops: {
      async ping(env, to: string) {
        const socket = await env.NET.connect(to);
        const writer = socket.writable.getWriter();
        await writer.write(new TextEncoder().encode("PING\r\n"));
        await writer.close();
        return await new Response(socket.readable).text();
      },
    },
  });
  expect(await worker.call("ping", address)).toBe("+PONG\r\n");
});

test.each(["redis.internal", "10.0.1.50", "local.internal"])("sets and reads a value at %s", async (host) => {
  expect(await worker.run("setAndGet", { host })).toBe("hello");
});

test("1000 commands in a pipeline", async () => {
  expect(await worker.run("pipeline")).toEqual([null, 1000]);
});

test("one connection waits for a value that another one pushes", async () => {
  expect(await worker.run("blocking")).toEqual(["queue", "job"]);
});

test("publish and subscribe", async () => {
  expect(await worker.run("publish")).toEqual(["news", "hello"]);
});

test("a value of 8 MB both ways", async () => {
  expect(await worker.run("large", { length: "8000000" })).toBe(true);
});

test("20 connections at once", async () => {
  expect(await worker.run("concurrent")).toBe(20);
});

test.each([
  ["down.internal", "connection_refused"],
  ["unknown.internal", "destination_not_found"],
])("without a connection to %s, the library reports %s at once", async (host, code) => {
  const failure = await worker.fail("connectTo", { host });
  expect(failure.thrown).toContain(`ProxyError: ${code}`);
  expect(failure.milliseconds).toBeLessThan(2000);
});
