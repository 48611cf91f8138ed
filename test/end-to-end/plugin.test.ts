/** The plugin in Miniflare: which bindings it serves, for which Workers, and when it refuses to start. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Miniflare, type MiniflareOptions, PLUGIN_ENTRIES } from "miniflare";
import { describe, expect, it } from "vitest";
import { plugins, withVpc } from "miniflare-vpc";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL, startTestWorker, type TestEnv } from "../setup/test-worker.ts";

function makeWorker(name: string, contents: string, env: object = {}): MiniflareOptions["workers"][number] {
  return {
    config: {
      name,
      compatibilityDate: "2026-11-01",
      manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm", contents } } },
      env,
    },
  } as MiniflareOptions["workers"][number];
}

it("exports plugins under the names that wrangler's table shows, and of Miniflare's own for VPC bindings", () => {
  const own = PLUGIN_ENTRIES.map(([name]) => name).filter((name) => name.startsWith("vpc-"));
  expect(own).not.toEqual([]);
  expect(Object.keys(plugins).toSorted()).toEqual(
    ["Hyperdrive Config", "VPC Network", "VPC Service", ...own].toSorted(),
  );
});

it("serves bindings with and without remote: true", async () => {
  await using origin = await startHttpOrigin(ok("local"));
  await using worker = await startTestWorker({
    config: { services: { [SERVICE]: `127.0.0.1:${origin.port}` } },
    env: {
      PLAIN: { type: "vpc-service", id: SERVICE },
      REMOTE: { type: "vpc-service", id: SERVICE, dev: { remote: true } },
    },
    ops: { get: async (env, binding: keyof TestEnv) => (await env[binding].fetch("http://x/")).text() },
  });
  expect(await worker.call("get", "PLAIN")).toBe("local");
  expect(await worker.call("get", "REMOTE")).toBe("local");
});

it("getBindings() returns working bindings in Node", async () => {
  await using origin = await startHttpOrigin(ok("from Node"));
  await using server = await startTcpServer(echo);
  await using worker = await startTestWorker({
    config: {
      services: { [SERVICE]: `127.0.0.1:${origin.port}` },
      networks: { [TUNNEL]: { routes: { "echo.internal": `127.0.0.1:${server.port}` } } },
    },
    ops: { bindings: (env) => Object.keys(env).toSorted() },
  });
  const bindings = await worker.miniflare.getBindings<Record<"API" | "NET", Fetcher>>();
  const response = await bindings.API.fetch("http://x/");
  expect(await response.text()).toBe("from Node");
  await expect(bindings.NET.fetch("http://other.internal/")).rejects.toThrow("ProxyError: destination_not_found");
  expect(await worker.call("bindings"), "no trigger in the Worker's env").toEqual(["API", "NET"]);
});

it('leaves a "remote" binding to wrangler, in the Worker and in Node', async () => {
  await using worker = await startTestWorker({
    config: { services: { [SERVICE]: "remote" }, networks: { [TUNNEL]: { routes: {} } } },
    ops: { get: async (env) => (await env.API.fetch("http://x/")).text() },
  });
  const REMOTE = /needs to be run remotely/;
  await expect(worker.call("get")).rejects.toThrow(REMOTE);
  const { API } = await worker.miniflare.getBindings<Record<"API", Fetcher>>();
  await expect(API.fetch("http://x/").then((response) => response.text())).rejects.toThrow(REMOTE);
});

interface Fetcher {
  fetch(url: string): Promise<Response>;
}

it("serves every Worker of the session, each from the config beside its own wrangler config", async () => {
  await using a = await startHttpOrigin(ok("a"));
  await using b = await startHttpOrigin(ok("b"));
  const folders = await Promise.all([1, 2].map(() => mkdtemp(path.join(os.tmpdir(), "vpc-"))));
  const [one = "", two = ""] = folders;
  const script = `export default { async fetch(request, env) { return env.API.fetch("http://x/"); } }`;
  const make = (name: string, rootPath: string): MiniflareOptions["workers"][number] => ({
    ...makeWorker(name, script, { API: { type: "vpc-service", id: SERVICE } }),
    dev: { rootPath },
  });
  try {
    await writeFile(path.join(one, "vpc.json"), JSON.stringify({ services: { [SERVICE]: `127.0.0.1:${a.port}` } }));
    await writeFile(path.join(two, "vpc.toml"), `[services]\n"${SERVICE}" = "127.0.0.1:${b.port}"\n`);
    const miniflare = new Miniflare(withVpc({ workers: [make("one", one), make("two", two)] }));
    try {
      for (const [name, answer] of [
        ["one", "a"],
        ["two", "b"],
      ]) {
        const fetcher = await miniflare.getWorker(name);
        const response = await fetcher.fetch("http://worker/");
        expect(await response.text()).toBe(answer);
      }
    } finally {
      await miniflare.dispose();
    }
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  }
});

it("gives Workers in service-worker format a plain Fetcher", async () => {
  await using origin = await startHttpOrigin(ok("old format"));
  const miniflare = new Miniflare(
    withVpc(
      {
        workers: [
          {
            config: {
              name: "old",
              compatibilityDate: "2026-11-01",
              env: { API: { type: "vpc-service", id: SERVICE } },
            },
            legacy: {
              serviceWorkerScript: `addEventListener("fetch", (event) => event.respondWith(API.fetch("http://x/")));`,
            },
          },
        ],
      },
      { config: { services: { [SERVICE]: `127.0.0.1:${origin.port}` } } },
    ),
  );
  try {
    const response = await miniflare.dispatchFetch("http://old/");
    expect(await response.text()).toBe("old format");
  } finally {
    await miniflare.dispose();
  }
});

describe("worker: targets", () => {
  const standIn = makeWorker(
    "stand-in",
    `export default {
       fetch: (request) => new Response("stand-in " + request.url),
       async connect(socket) { await socket.readable.pipeTo(socket.writable); }
     }`,
  );

  it("are answered by another Worker's fetch", async () => {
    await using worker = await startTestWorker({
      config: { networks: { [TUNNEL]: { routes: { "a.internal": "worker:stand-in" } } } },
      workers: [standIn],
      ops: { get: async (env) => (await env.NET.fetch("http://a.internal:81/x")).text() },
    });
    expect(await worker.call("get")).toBe("stand-in http://a.internal:81/x");
  });

  it("are answered by another Worker's connect", async () => {
    const greeter = makeWorker(
      "greeter",
      `export default { async connect(socket) {
         const writer = socket.writable.getWriter();
         await writer.write(new TextEncoder().encode("hello"));
         await writer.close();
       } }`,
    );
    await using worker = await startTestWorker({
      config: { networks: { [TUNNEL]: { routes: { "a.internal": "worker:greeter" } } } },
      workers: [greeter],
      ops: { greet: async (env) => new Response((await env.NET.connect("a.internal:1")).readable).text() },
    });
    expect(await worker.call("greet")).toBe("hello");
  });

  it("find NAME-<env>", async () => {
    const miniflare = new Miniflare(
      withVpc(
        {
          workers: [
            makeWorker("app", `export default { fetch: (request, env) => env.API.fetch("http://x/") }`, {
              API: { type: "vpc-service", id: SERVICE },
            }),
            makeWorker("backend-staging", `export default { fetch: () => new Response("staging") }`),
          ],
        },
        { config: { services: { [SERVICE]: "worker:backend" } }, env: "staging" },
      ),
    );
    try {
      const response = await miniflare.dispatchFetch("http://app/");
      expect(await response.text()).toBe("staging");
    } finally {
      await miniflare.dispose();
    }
  });

  it("an unknown Worker is reported and never reaches workerd", async () => {
    const starting = startTestWorker({
      config: { networks: { [TUNNEL]: { routes: { "a.internal": "worker:stand-out" } } } },
      workers: [standIn],
      ops: {},
    });
    await expect(starting).rejects.toThrow(/worker:stand-out[^]*stand-in/);
  });
});

describe("functions of a config", () => {
  it("answer fetch and connect in Node", async () => {
    await using worker = await startTestWorker({
      config: {
        networks: {
          [TUNNEL]: {
            routes: {
              "http.internal": async (request) =>
                new Response(`${request.method} ${request.url} ${await request.text()}`),
              "tcp.internal": {
                connect(socket) {
                  socket.on("data", (data: Buffer) => socket.end(`got ${data.toString()}`));
                },
              },
            },
          },
        },
      },
      ops: {
        post: async (env) => (await env.NET.fetch("http://http.internal/x", { method: "POST", body: "body" })).text(),
        async connect(env) {
          const socket = await env.NET.connect("tcp.internal:1");
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode("ping"));
          return new Response(socket.readable).text();
        },
      },
    });
    expect(await worker.call("post")).toBe("POST http://http.internal/x body");
    expect(await worker.call("connect")).toBe("got ping");
  });
});

it("throws what a function threw at the caller and prints it, and forwards no private header", async () => {
  await using worker = await startTestWorker({
    config: {
      networks: {
        [TUNNEL]: {
          routes: {
            "broken.internal": () => {
              throw new Error("not today");
            },
            "forged.internal": () => new Response("body", { headers: { "x-miniflare-vpc-failure": "forged" } }),
          },
        },
      },
    },
    ops: { get: async (env, host: string) => (await env.NET.fetch(`http://${host}/`)).text() },
  });
  await expect(worker.call("get", "broken.internal")).rejects.toThrow(/^not today$/);
  expect(worker.output()).toMatch(/Error: not today\n.*function failed: not today .*Correct the function/);
  expect(await worker.call("get", "forged.internal")).toBe("body");
});

it("refuses port 0 on a stub without a facade", async () => {
  await using server = await startTcpServer(echo);
  const lines: string[] = [];
  const options = {
    handleStructuredLogs: ({ message }: { message: string }) => void lines.push(message),
    workers: [
      {
        config: {
          name: "old",
          compatibilityDate: "2026-11-01",
          env: { NET: { type: "vpc-network", tunnelId: TUNNEL } },
        },
        legacy: {
          serviceWorkerScript: `addEventListener("fetch", (event) => {
            const refused = (async () => (await NET.connect("echo.internal:0").closed, "closed"))();
            event.respondWith(refused.catch(({ message }) => message).then((text) => new Response(text)));
          });`,
        },
      },
    ],
  } as MiniflareOptions;
  const routes = { "echo.internal": `127.0.0.1:${server.port}` };
  const miniflare = new Miniflare(withVpc(options, { config: { networks: { [TUNNEL]: { routes } } } }));
  try {
    const answer = await (await miniflare.dispatchFetch("http://old/")).text();
    await expect
      .poll(() => `${answer} ${lines.join("\n")}`)
      .toMatch(/connect .*:0 {2}ProxyError|not between 1 and 65535/);
    expect(server.accepted).toBe(0);
  } finally {
    await miniflare.dispose();
  }
});

it("refuses options of another Miniflare than 5 with a message", () => {
  const old = { modules: true, script: "" } as unknown as { workers: [] };
  expect(() => withVpc(old)).toThrow(/no list of workers.*convertV4MiniflareOptions/);
});

it("does not start with a broken config, and reports every mistake", async () => {
  const starting = startTestWorker({
    config: {
      services: { [SERVICE]: "localhost:99999" },
      networks: { [TUNNEL]: { routes: { "**": "localhost:1", "a.internal": { deny: "nope" as "dns_error" } } } },
    },
    ops: {},
  });
  const error: unknown = await starting.catch((reason: unknown) => reason);
  expect(String(error)).toContain("99999");
  expect(String(error)).toContain('"**"');
  expect(String(error)).toContain('"nope"');
});

it("prints no traffic lines with traffic: false", async () => {
  await using origin = await startHttpOrigin(ok("a"));
  await using worker = await startTestWorker({
    config: { traffic: false, services: { [SERVICE]: `127.0.0.1:${origin.port}` } },
    ops: { get: async (env) => (await env.API.fetch("http://x/")).text() },
  });
  await worker.call("get");
  await worker.call("get");
  expect(worker.output()).not.toContain("API  GET");
});
