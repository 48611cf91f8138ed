/** Edits of the vpc config take effect without a restart of the runtime. */

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { scheduler } from "node:timers/promises";
import { rootCertificates } from "node:tls";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { changedSince } from "../../plugin/system/file-state.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { TUNNEL, type TestWorker, startTestWorker, type TestEnv, type DurableObjects } from "../setup/test-worker.ts";
import { socketIn } from "../servers/socket-path.ts";
import { testOn } from "../setup/only-on.ts";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "vpc-edits-"));
  file = path.join(folder, "vpc.jsonc");
});

afterEach(() => rm(folder, { recursive: true }));

/** Milliseconds. macOS reports an edit late, and a busy machine too. */
const SEEN = 10_000;

function routesTo(target: string): string {
  return JSON.stringify({ networks: { [TUNNEL]: { routes: { "a.internal": target } } } });
}

function start(): Promise<TestWorker> {
  return startTestWorker({
    config: file,
    prelude: "let calls = 0;",
    ops: {
      get: async (env, limit?: number) =>
        (await env.NET.fetch("http://a.internal/", { signal: AbortSignal.timeout(limit ?? 60_000) })).text(),
      // @ts-expect-error: defined in the prelude; counts calls in the lifetime of the isolate
      calls: () => ++calls,
      async ping(env) {
        const socket = await env.NET.connect("a.internal:1");
        return new Response(socket.readable).text();
      },
    },
  });
}

it("applies an edit with new targets within 100 ms, without a restart", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using worker = await start();
  expect(await worker.call("get")).toBe("a");
  expect(await worker.call("calls")).toBe(1);

  const times: number[] = [];
  // Repeats until one is fast enough, because the machine may be busy.
  while (Math.min(...times) >= 100 && times.length < 50) {
    const [target, answer] = times.length % 2 === 0 ? [b.port, "b"] : [a.port, "a"];
    const edited = performance.now();
    await writeFile(file, routesTo(`127.0.0.1:${target}`));
    await vi.waitFor(async () => expect(await worker.call("get")).toBe(answer), { interval: 5, timeout: 5000 });
    times.push(performance.now() - edited);
  }
  expect(Math.min(...times), `milliseconds: ${times.join(", ")}`).toBeLessThan(100);
  expect(await worker.call("calls"), "the Worker's isolate is still the first one").toBe(2);
});

it("applies an edit that is made before the first request", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  // Otherwise the start itself may count as an edit.
  await vi.waitFor(() => expect(changedSince(file, Date.now())).toBe(false), { interval: 5 });
  await using worker = await start();
  await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
  await vi.waitFor(() => expect(worker.output()).toContain("Applied vpc.jsonc"), SEEN);
  const answers = await Promise.all(Array.from({ length: 20 }, () => worker.call("get")));
  expect(answers).toEqual(answers.map(() => "b"));
});

it.each([
  ["gives up", "timeout"],
  ["connects", "pong"],
  ["is refused", "ProxyError: destination_not_found"],
  ["is a Durable Object", "timeout"],
  ["is Node", "ProxyError: destination_not_found"],
])("applies edits when the first caller %s", async (how, outcome) => {
  await using silent = await startTcpServer();
  await using pong = await startTcpServer((socket) => socket.end("pong"));
  await writeFile(file, routesTo(`127.0.0.1:${how === "connects" ? pong.port : silent.port}`));
  await using worker = await startTestWorker<
    TestEnv & { CALLER: DurableObjects<{ get(limit: number): Promise<unknown> }> }
  >({
    config: file,
    prelude: `import { DurableObject } from "cloudflare:workers";
      export class Caller extends DurableObject {
        get(limit) { return this.env.NET.fetch("http://a.internal/", { signal: AbortSignal.timeout(limit) }); }
      }`,
    exports: { Caller: { type: "durable-object", storage: "sqlite" } },
    env: {
      NET: { type: "vpc-network", tunnelId: TUNNEL },
      CALLER: { type: "durable-object", exportName: "Caller", worker: "app" },
    },
    ops: {
      get: async (env) => (await env.NET.fetch("http://a.internal/", { signal: AbortSignal.timeout(1000) })).text(),
      async first(env, how: string) {
        if (how === "is refused") return env.NET.fetch("http://unknown.internal/");
        if (how === "connects") return new Response((await env.NET.connect("a.internal:1")).readable).text();
        if (how === "is a Durable Object") return env.CALLER.get(env.CALLER.idFromName("")).get(20);
        return env.NET.fetch("http://a.internal/", { signal: AbortSignal.timeout(20) });
      },
    },
  });
  const first =
    how === "is Node"
      ? (await worker.miniflare.getBindings<{ NET: { fetch: typeof fetch } }>()).NET.fetch("http://unknown.internal/")
      : worker.call("first", how);
  expect(await first.catch((error: Error) => error.message)).toContain(outcome);
  await vi.waitFor(() => expect(silent.open.size).toBe(0), SEEN);
  for (const answer of ["b", "c"]) {
    await using origin = await startHttpOrigin(ok(answer));
    await writeFile(file, routesTo(`127.0.0.1:${origin.port}`));
    // Does not wait for "Applied", because the first config is so recent that it may be applied as an edit too.
    await vi.waitFor(async () => expect(await worker.call("get").catch(String)).toBe(answer), 10_000);
  }
});

it("applies edits in each of several sessions, even after a reload", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using first = await start();
  file = path.join(folder, "other.jsonc");
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using second = await start();
  expect([await first.call("get"), await second.call("get")]).toEqual(["a", "a"]);
  await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
  await vi.waitFor(async () => expect(await second.call("get")).toBe("b"), 5000);
  expect(await first.call("get")).toBe("a");
  await second.reload();
  expect(await second.call("get")).toBe("b");
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await vi.waitFor(async () => expect(await second.call("get")).toBe("a"), 5000);
});

it("a request in flight keeps its target", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using slow = await startTcpServer((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsl");
      void released.then(() => socket.write("ow"));
    });
  });
  await using fast = await startHttpOrigin(ok("fast"));
  await writeFile(file, routesTo(`127.0.0.1:${slow.port}`));
  await using worker = await start();
  const inFlight = worker.call("get");
  await vi.waitFor(() => expect(slow.accepted).toBe(1), SEEN);
  await writeFile(file, routesTo(`127.0.0.1:${fast.port}`));
  await vi.waitFor(async () => expect(await worker.call("get", 1000).catch(String)).toBe("fast"), 10_000);
  release();
  expect(await inFlight).toBe("slow");
});

it("serves new tcp and unix targets", async () => {
  await writeFile(file, routesTo("127.0.0.1:1"));
  await using tcp = await startTcpServer((socket) => socket.end("tcp"));
  await using unix = await startTcpServer((socket) => socket.end("unix"), { path: socketIn(folder, "s.sock") });
  await using worker = await start();
  await writeFile(file, routesTo(`127.0.0.1:${tcp.port}`));
  await vi.waitFor(async () => expect(await worker.call("ping")).toBe("tcp"), SEEN);
  await writeFile(file, routesTo(`unix:${socketIn(folder, "s.sock")}`));
  await vi.waitFor(async () => expect(await worker.call("ping")).toBe("unix"), SEEN);
  expect(unix.accepted).toBe(1);
});

it("reports a broken edit and keeps the last good config, then applies the next edit", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using worker = await start();
  await writeFile(file, `{ "networks": { "${TUNNEL}": { "routes": { "a.internal": "localhost:99999" } } } }`);
  await vi.waitFor(() => expect(worker.output()).toContain("the last good one stays in force"), SEEN);
  expect(worker.output()).toMatch(/vpc\.jsonc:1:\d+: error: .*99999/);
  expect(await worker.call("get")).toBe("a");
  await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("b"), SEEN);
});

it("applies an edit that is made while the session starts", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  for (const delay of [0, 20, 40, 60, 80]) {
    await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
    const starting = start();
    await scheduler.wait(delay);
    await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
    await using worker = await starting;
    await vi.waitFor(async () => expect(await worker.call("get")).toBe("b"), { timeout: 3000 });
  }
});

testOn(
  "posix",
  "Windows has no mkfifo",
  "reports a pipe in place of the file, and applies the file that replaces it",
  async () => {
    await using b = await startHttpOrigin(ok("b"));
    await writeFile(file, routesTo("127.0.0.1:1"));
    await using worker = await start();
    await rm(file);
    execFileSync("mkfifo", [file]);
    await vi.waitFor(() => expect(worker.output()).toContain("it is a pipe, a socket or a device, not a file"), 5000);
    await rm(file);
    await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
    await vi.waitFor(async () => expect(await worker.call("get")).toBe("b"), 5000);
  },
);

const answering = (text: string, before = ""): string =>
  `${before}\nexport default { networks: { "${TUNNEL}": { routes: { "a.internal": () => new Response("${text}") } } } };`;

it("applies an edit after one that never finishes loading or calls process.exit()", async () => {
  file = path.join(folder, "vpc.config.mjs");
  await writeFile(file, answering("a"));
  await using worker = await start();
  expect(await worker.call("get")).toBe("a");
  await writeFile(file, answering("never", "globalThis.hung = true; await new Promise(() => {});"));
  await vi.waitFor(() => expect(globalThis).toHaveProperty("hung"), 5000);
  await writeFile(file, answering("b"));
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("b"), 5000);
  await writeFile(file, answering("c", "process.exit(0);"));
  await vi.waitFor(() => expect(worker.output()).toContain("it called process.exit(0)"), 5000);
  await writeFile(file, answering("d"));
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("d"), 5000);
});

it("applies a config when its missing certificate or import appears", async () => {
  await using a = await startHttpOrigin(ok("a"));
  file = path.join(folder, "vpc.config.mjs");
  await writeFile(file, "export default {};");
  await using worker = await start();
  const routes = routesTo(`127.0.0.1:${a.port}`);
  await writeFile(file, 'import routes from "./routes.mjs"; export default { ...routes, ca: ["ca.pem"] };');
  await vi.waitFor(() => expect(worker.output()).toContain("Could not resolve"), 5000);
  await writeFile(path.join(folder, "routes.mjs"), `export default ${routes};`);
  await vi.waitFor(() => expect(worker.output()).toContain("ca-not-found"), 5000);
  await writeFile(path.join(folder, "ca.pem"), rootCertificates[0] ?? "");
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("a"), 5000);
  // The import can be a link.
  await writeFile(path.join(folder, "other.mjs"), "export default {};");
  await rm(path.join(folder, "routes.mjs"));
  await symlink("other.mjs", path.join(folder, "routes.mjs"));
  await vi.waitFor(async () => expect(await worker.call("get").catch(String)).toContain("destination_not_found"), 5000);
  await symlink("again.mjs", path.join(folder, "link~"));
  await writeFile(path.join(folder, "again.mjs"), `export default ${routes};`);
  await rename(path.join(folder, "link~"), path.join(folder, "routes.mjs"));
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("a"), 5000);
});

it("applies edits of a file whose folder was removed and created again", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  const inner = path.join(folder, "inner");
  file = path.join(inner, "vpc.jsonc");
  await mkdir(inner);
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using worker = await start();
  expect(await worker.call("get")).toBe("a");
  await rm(inner, { recursive: true });
  await vi.waitFor(() => expect(worker.output()).toMatch(/vpc\.jsonc/), SEEN);
  await mkdir(inner);
  await writeFile(file, routesTo(`127.0.0.1:${b.port}`));
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("b"), { timeout: 3000 });
});

it('refuses a binding whose entry became "remote" with a message, until the restart', async () => {
  await using a = await startHttpOrigin(ok("a"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using worker = await start();
  await writeFile(file, JSON.stringify({ networks: { [TUNNEL]: "remote" } }));
  await vi.waitFor(() => expect(worker.output()).toContain("restart to apply this"), SEEN);
  await expect(worker.call("get")).rejects.toThrow("ProxyError: destination_not_found");
  expect(worker.output()).toContain('its entry was changed to "remote" while it ran');
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("a"), SEEN);
});

it("applies an edit that replaces the file, and a file that appears later", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  await writeFile(file, routesTo(`127.0.0.1:${a.port}`));
  await using worker = await start();
  await writeFile(`${file}.tmp`, routesTo(`127.0.0.1:${b.port}`));
  await rename(`${file}.tmp`, file);
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("b"), SEEN);
  await writeFile(`${file}.tmp`, routesTo(`127.0.0.1:${a.port}`));
  await rename(`${file}.tmp`, file);
  await vi.waitFor(async () => expect(await worker.call("get")).toBe("a"), SEEN);
});
