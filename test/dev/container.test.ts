/**
 * `miniflare-vpc dev` as in a container of a compose project: `--ip 0.0.0.0`, the proxy variables that such a container often
 * has, and services that are reached by their names. No Docker runs: `localhost` is the name that resolves, by the hosts file.
 */

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type TestServer, echo, startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { describeOn } from "../setup/only-on.ts";
import { TUNNEL } from "../setup/test-worker.ts";
import { addressIn } from "../ui/start-shown.ts";
import { MINIFLARE_VPC, type Server, run, serve } from "../wrangler/run.ts";
import { type TemporaryProject, createProject } from "../wrangler/temporary-project.ts";

const WORKER = `export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const where = searchParams.get("where");
    try {
      if (pathname === "/fetch") return new Response(await (await env.NET.fetch(where)).text());
      if (pathname === "/post") return new Response(await (await env.NET.fetch(where, { method: "POST", body: "x" })).text());
      if (pathname === "/loop") return await env.NET.fetch(request.url);
      const socket = await env.NET.connect(where);
      const writer = socket.writable.getWriter();
      await writer.write(new TextEncoder().encode("ping"));
      await writer.close();
      return new Response(await new Response(socket.readable).text());
    } catch (error) {
      return new Response(error.message, { status: 502 });
    }
  },
};`;

/** Of the machine in its network, if it has one. */
const [OWN_ADDRESS = "127.0.0.3"] = Object.values(os.networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .flatMap(({ family, internal, address }) => (family === "IPv4" && !internal ? [address] : []));

const stack = new AsyncDisposableStack();
let project: TemporaryProject;
let plain: HttpOrigin;
let tcp: TestServer;
let secure: HttpOrigin;
let session: Server;
/** What the proxy was asked for. */
const proxied: string[] = [];
let proxy: NodeJS.ProcessEnv;

beforeAll(async () => {
  const root = makeAuthority("Test root");
  plain = stack.use(await startHttpOrigin(ok("plain")));
  tcp = stack.use(await startTcpServer(echo, { allowHalfOpen: true }));
  secure = stack.use(await startTlsOrigin({ ...root.issue("any", { names: ["localhost"] }), answer: ok("secure") }));
  const server = http.createServer((request, response) => {
    proxied.push(request.url ?? "");
    response.writeHead(503).end("the proxy");
  });
  server.on("connect", (request, socket) => {
    proxied.push(request.url ?? "");
    socket.end("HTTP/1.1 503 Unavailable\r\n\r\n");
  });
  const { port } = stack.use(await startTcpServer((socket) => void server.emit("connection", socket)));
  const names = ["http_proxy", "https_proxy", "all_proxy"].flatMap((name) => [name, name.toUpperCase()]);
  // Without NO_PROXY. Node's own client goes by the variables if it is told to.
  proxy = { NODE_USE_ENV_PROXY: "1", ...Object.fromEntries(names.map((name) => [name, `http://127.0.0.1:${port}`])) };
  project = stack.use(
    createProject({
      "wrangler.jsonc": {
        name: "app",
        main: "index.js",
        compatibility_date: "2026-01-01",
        vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL }],
      },
      "index.js": WORKER,
      "compose.yaml": `services:
  localhost:
    ports: ["1:${plain.port}"]
    expose: [${tcp.port}, ${secure.port}]
    networks: { back: { aliases: [db.internal] } }
`,
      "vpc.jsonc": {
        ca: ["root.pem"],
        workerLimit: 8,
        networks: {
          [TUNNEL]: {
            compose: { files: "compose.yaml", from: "network" },
            routes: { "127.0.0.2": "passthrough", [OWN_ADDRESS]: "passthrough" },
          },
        },
      },
    }),
  );
  await writeFile(path.join(project.folder, "root.pem"), root.cert);
  session = stack.use(await serve(MINIFLARE_VPC, ["dev", "--ip", "0.0.0.0"], { project, env: proxy }));
}, 120_000);
afterAll(() => stack.disposeAsync());

/** As a browser on the host asks, whose request comes in from elsewhere. */
async function ask(act: string, where = ""): Promise<string> {
  const { port } = new URL(session.url);
  const response = await fetch(`http://127.0.0.1:${port}/${act}?where=${encodeURIComponent(where)}`);
  return response.text();
}

test("a service is reached by its name and at the ports of its container, past the proxy", async () => {
  expect(await ask("fetch", `http://localhost:${plain.port}/`)).toBe("plain");
  expect(await ask("fetch", `http://db.internal:${plain.port}/`)).toBe("plain");
  expect(await ask("post", `http://db.internal:${plain.port}/`)).toBe("plain");
  expect(await ask("fetch", `https://localhost:${secure.port}/`)).toBe("secure");
  expect(await ask("connect", `db.internal:${tcp.port}`)).toBe("ping");
  expect(proxied.filter((asked) => /localhost|127\.|internal/.test(asked))).toEqual([]);
}, 60_000);

test("so is it by the commands", async () => {
  const { port } = plain;
  await using explained = run(MINIFLARE_VPC, ["explain", "NET", `http://db.internal:${port}/`], {
    project,
    env: proxy,
  });
  expect(await explained.ended()).toBe(0);
  expect(explained.output()).toMatch(new RegExp(`^target +localhost:${port}$`, "m"));
  expect(explained.output()).toContain('compose.yaml:3:13, service "localhost"');
  await using probed = run(MINIFLARE_VPC, ["check", "--probe"], { project, env: proxy });
  await probed.ended();
  for (const each of [plain.port, tcp.port, secure.port])
    expect(probed.output()).toMatch(new RegExp(`^ +localhost:${each} +open`, "m"));
  await using requests = run(MINIFLARE_VPC, ["requests", "--json"], { project, env: proxy });
  expect(await requests.ended()).toBe(0);
  expect(proxied.filter((asked) => /localhost|127\.|internal/.test(asked))).toEqual([]);
}, 60_000);

describeOn("linux", "127.0.0.2 is an address of this machine, and /proc has the listeners", "with --ip 0.0.0.0", () => {
  test("the Worker is reached at every address, and nothing else of the session is", async () => {
    const { port } = new URL(session.url);
    const response = await fetch(`http://127.0.0.2:${port}/fetch?where=http://db.internal:${plain.port}/`);
    expect(await response.text()).toBe("plain");
    const own = new URL(addressIn(session.output())).port;
    await expect(fetch(`http://127.0.0.2:${own}/`)).rejects.toThrow("fetch failed");
    expect(listenersEverywhere()).toContain(Number(port));
    expect(listenersEverywhere()).not.toContain(Number(own));
  });

  test.each(["127.0.0.2", OWN_ADDRESS])(
    "a call that comes back through %s is a loop",
    async (host) => {
      const { port } = new URL(session.url);
      const response = await fetch(`http://${host}:${port}/loop`);
      expect(await response.text()).toBe("ProxyError: proxy_loop_detected");
    },
    60_000,
  );
});

/** Ports that listen at every address of this machine. */
function listenersEverywhere(): number[] {
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      // 0A: it listens.
      .flatMap(([, local = "", , state]) =>
        state === "0A" && /^0+:/.test(local) ? [parseInt(local.split(":")[1]!, 16)] : [],
      ),
  );
}
