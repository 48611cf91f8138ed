/** Edits of the vpc config while the runtime runs: pushed, not restarted. */

import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { scheduler } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ok, startHttpOrigin } from "./servers/http-origin.ts";
import { startTcpServer } from "./servers/tcp-server.ts";
import { TUNNEL, type Session, startSession } from "./session.ts";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "vpc-edits-"));
  file = path.join(folder, "vpc.jsonc");
});

afterEach(() => rm(folder, { recursive: true }));

function routesTo(target: string): string {
  return JSON.stringify({ networks: { [TUNNEL]: { routes: { "a.internal": target } } } });
}

function start(): Promise<Session> {
  return startSession({
    config: file,
    prelude: "let calls = 0;",
    ops: {
      get: async (env) => (await env.NET.fetch("http://a.internal/")).text(),
      // @ts-expect-error: of the prelude; counts for as long as the isolate lives
      calls: () => ++calls,
      async ping(env) {
        const socket = await env.NET.connect("a.internal:1");
        return new Response(socket.readable).text();
      },
    },
  });
}

it("takes an edit over within 100 ms, with targets that are new, without a restart", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using session = await start();
  expect(await session.call("get")).toBe("a");
  expect(await session.call("calls")).toBe(1);

  const times: number[] = [];
  for (const [target, answer] of [
    [b.port, "b"],
    [a.port, "a"],
    [b.port, "b"],
    [a.port, "a"],
    [b.port, "b"],
  ] as const) {
    const edited = performance.now();
    await writeFile(file, routesTo(`127.0.0.1:${target}`));
    await vi.waitFor(async () => expect(await session.call("get")).toBe(answer), { interval: 5, timeout: 5000 });
    times.push(performance.now() - edited);
  }
  expect(times.toSorted((x, y) => x - y)[2], `milliseconds: ${times.join(", ")}`).toBeLessThan(100);
  expect(await session.call("calls"), "the Worker's isolate is still the first one").toBe(2);
});

it("lets a request in flight finish on the table it started with", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using slow = await startTcpServer((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl");
      void released.then(() => socket.write("ow"));
    });
  });
  await using fast = await startHttpOrigin(ok("fast"));
  await writeFile(file, routesTo(`127.0.0.1:${slow.port}`));
  await using session = await start();
  const inFlight = session.call("get");
  await vi.waitFor(() => expect(slow.accepted).toBe(1));
  await writeFile(file, routesTo(`127.0.0.1:${fast.port}`));
  await vi.waitFor(async () => expect(session.output()).toContain("Took over vpc.jsonc"));
  expect(await session.call("get")).toBe("fast");
  release();
  expect(await inFlight).toBe("slow");
});

it("serves tcp and unix targets that an edit brings", async () => {
  await writeFile(file, routesTo("127.0.0.1:1"));
  await using tcp = await startTcpServer((socket) => socket.end("tcp"));
  await using unix = await startTcpServer((socket) => socket.end("unix"), { path: path.join(folder, "s.sock") });
  await using session = await start();
  await writeFile(file, routesTo(`127.0.0.1:${tcp.port}`));
  await vi.waitFor(async () => expect(await session.call("ping")).toBe("tcp"));
  await writeFile(file, routesTo("unix:s.sock"));
  await vi.waitFor(async () => expect(await session.call("ping")).toBe("unix"));
  expect(unix.accepted).toBe(1);
});

it("reports a broken edit and keeps the last good one, then takes the next", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using session = await start();
  await writeFile(file, `{ "networks": { "${TUNNEL}": { "routes": { "a.internal": "localhost:99999" } } } }`);
  await vi.waitFor(() => expect(session.output()).toContain("the last good one stays in force"));
  expect(session.output()).toMatch(/vpc\.jsonc:1:\d+: error: .*99999/);
  expect(await session.call("get")).toBe("a");
  await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
  await vi.waitFor(async () => expect(await session.call("get")).toBe("b"));
});

it("takes the edit that is made while it starts", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  for (const delay of [0, 20, 40, 60, 80]) {
    await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
    const starting = start();
    await scheduler.wait(delay);
    await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
    await using session = await starting;
    await vi.waitFor(async () => expect(await session.call("get")).toBe("b"), { timeout: 3000 });
  }
});

it("takes edits of a file whose folder was removed and made again", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  const inner = path.join(folder, "inner");
  file = path.join(inner, "vpc.jsonc");
  await mkdir(inner);
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using session = await start();
  expect(await session.call("get")).toBe("a");
  await rm(inner, { recursive: true });
  await vi.waitFor(() => expect(session.output()).toMatch(/vpc\.jsonc/));
  await mkdir(inner);
  await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
  await vi.waitFor(async () => expect(await session.call("get")).toBe("b"), { timeout: 3000 });
});

it('refuses a binding whose entry became "remote" in words, until the restart', async () => {
  await using a = await startHttpOrigin(ok("a"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using session = await start();
  await writeFile(file, JSON.stringify({ networks: { [TUNNEL]: "remote" } }));
  await vi.waitFor(() => expect(session.output()).toContain("restart for this to take effect"));
  await expect(session.call("get")).rejects.toThrow("ProxyError: destination_not_found");
  expect(session.output()).toContain('its entry was changed to "remote" while it ran');
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await vi.waitFor(async () => expect(await session.call("get")).toBe("a"));
});

it("notices an editor that replaces the file, and a file that appears later", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using session = await start();
  await writeFile(`${file}.tmp`, routesTo(`127.0.0.1:${b.port}`));
  await rename(`${file}.tmp`, file);
  await vi.waitFor(async () => expect(await session.call("get")).toBe("b"));
  await writeFile(`${file}.tmp`, routesTo(`127.0.0.1:${a.port}`));
  await rename(`${file}.tmp`, file);
  await vi.waitFor(async () => expect(await session.call("get")).toBe("a"));
});
