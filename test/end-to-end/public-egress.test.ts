/** A route for `*` in cf1:network: every public host that no other route holds, over http, https and TCP. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { connectVpc } from "miniflare-vpc/test/node";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startDnsServer } from "../servers/dns-server.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { closedPort, echo, startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { TUNNEL, type TestWorker, type VpcFetcher, startTestWorker } from "../setup/test-worker.ts";
import type { VpcConfig } from "../../plugin/config.ts";

type Env = Record<"MESH" | "NET" | "API", VpcFetcher>;
type Asked = [binding: keyof Env, where: string];

const ops = {
  fetch: async (env: Env, [binding, url]: Asked) => {
    const response: Response = await env[binding].fetch(url);
    return response.text();
  },
  post: async (env: Env, [binding, url]: Asked) => {
    const response: Response = await env[binding].fetch(url, { method: "POST", body: "body" });
    return response.text();
  },
  echo: async (env: Env, [binding, address]: Asked) => {
    const socket = await env[binding].connect(address);
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("ping"));
    await writer.close();
    return new Response(socket.readable).text();
  },
};

const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";

function start(config: VpcConfig | string, options: { first?: string } = {}): Promise<TestWorker> {
  return startTestWorker<Env>({
    config,
    ops,
    ...options,
    env: {
      MESH: { type: "vpc-network", networkId: "cf1:network" },
      NET: { type: "vpc-network", tunnelId: TUNNEL },
      API: { type: "vpc-service", id: SERVICE },
    },
  });
}

function at({ port }: { port: number }): string {
  return `127.0.0.1:${port}`;
}

const root = makeAuthority("Test root");
let folder: string;
let ca: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "vpc-public-"));
  ca = path.join(folder, "root.pem");
  await writeFile(ca, root.cert);
});
afterAll(() => rm(folder, { recursive: true }));

describe.each([
  ["IPv4", "127.0.0.1", { A: ["127.0.0.1"] }],
  ["IPv6", "::1", { AAAA: ["::1"] }],
])("%s: names that only the public name server knows", (_, host, answer) => {
  it("http, https with the name in SNI and certificate, and TCP, in a Worker and in Node", async () => {
    await using resolver = await startDnsServer((name) => (name.endsWith(".example.com") ? answer : "NXDOMAIN"));
    await using plain = await startHttpOrigin(ok("plain"), { host });
    await using secure = await startTlsOrigin({
      ...root.issue("www", { names: ["www.example.com"] }),
      answer: ok("secure"),
      host,
    });
    await using tcp = await startTcpServer(echo, { host, allowHalfOpen: true });
    await using worker = await start({
      ca: [ca],
      networks: {
        "cf1:network": {
          resolver_ips: [resolver.address],
          routes: { "*": "passthrough" },
        },
      },
    });
    const urls = [`http://www.example.com:${plain.port}/`, `https://www.example.com:${secure.port}/`] as const;
    expect(await worker.call("fetch", ["MESH", urls[0]])).toBe("plain");
    expect(await worker.call("fetch", ["MESH", urls[1]])).toBe("secure");
    expect(secure.handshakes.map(({ serverName }) => serverName)).toEqual(["www.example.com"]);
    expect(await worker.call("echo", ["MESH", `db.example.com:${tcp.port}`])).toBe("ping");
    // Another name has no valid certificate there, and a name that does not exist has no address.
    await expect(worker.call("fetch", ["MESH", `https://other.example.com:${secure.port}/`])).rejects.toThrow(
      "ProxyError: tls_certificate_error",
    );
    await expect(worker.call("fetch", ["MESH", "http://gone.example/"])).rejects.toThrow("ProxyError: dns_error");
    const { MESH } = await worker.miniflare.getBindings<{ MESH: { fetch(url: string): Promise<Response> } }>();
    for (const [index, text] of ["plain", "secure"].entries()) {
      const response = await MESH.fetch(urls[index]!);
      expect(await response.text()).toBe(text);
    }
    expect(worker.output()).toContain(`MESH  GET ${urls[1]} → www.example.com:${secure.port}  200`);
  });

  it("addresses", async () => {
    await using plain = await startHttpOrigin(ok("plain"), { host });
    await using tcp = await startTcpServer(echo, { host, allowHalfOpen: true });
    await using worker = await start({ networks: { "cf1:network": { routes: { "*": "passthrough" } } } });
    const bare = host.includes(":") ? `[${host}]` : host;
    expect(await worker.call("fetch", ["MESH", `http://${bare}:${plain.port}/`])).toBe("plain");
    expect(await worker.call("echo", ["MESH", `${bare}:${tcp.port}`])).toBe("ping");
  });
});

describe.each(["localhost", "app.localhost"])("%s is loopback, and no name server is asked", (name) => {
  // A route for the same address must not matter.
  it.each([false, true])("a route leads there, too: %s", async (isKnown) => {
    await using resolver = await startDnsServer("NXDOMAIN");
    await using plain = await startHttpOrigin(ok("plain"));
    await using tcp = await startTcpServer(echo, { allowHalfOpen: true });
    const closed = await closedPort();
    await using worker = await start({
      networks: {
        "cf1:network": { resolver_ips: [resolver.address], routes: { "*": "passthrough" } },
        [TUNNEL]: { routes: isKnown ? { "users.internal": `localhost:${plain.port}` } : {} },
      },
    });
    const url = `http://${name}:${plain.port}/`;
    for (const op of ["fetch", "post"]) expect(await worker.call(op, ["MESH", url])).toBe("plain");
    expect(await worker.call("echo", ["MESH", `${name}:${tcp.port}`])).toBe("ping");
    for (const op of ["fetch", "post"])
      await expect(worker.call(op, ["MESH", `http://${name}:${closed}/`])).rejects.toThrow(/connection_refused/);
    await expect(worker.call("echo", ["MESH", `${name}:${closed}`])).rejects.toThrow(/connection_refused/);
    expect(resolver.questions).toEqual([]);
  });
});

it("a target takes what no other route holds, and the ports that another one leaves", async () => {
  await using rest = await startTlsOrigin({ ...root.issue("any", { names: ["*.example.com"] }), answer: ok("rest") });
  await using named = await startHttpOrigin(ok("named"));
  await using wild = await startHttpOrigin(ok("wild"));
  await using tcp = await startTcpServer(echo, { allowHalfOpen: true });
  await using worker = await start({
    ca: [ca],
    networks: {
      "cf1:network": {
        routes: {
          "*": at(rest),
          "*:5432": at(tcp),
          "*:25": { deny: "http_request_denied" },
          "api.example.com:80": at(named),
          "*.internal": at(wild),
          "10.0.0.0/8:80": at(wild),
          "10.9.0.0/16": { deny: "destination_ip_prohibited" },
        },
      },
    },
  });
  const mesh = (op: keyof typeof ops, where: string): Promise<unknown> => worker.call(op, ["MESH", where]);
  expect(await mesh("fetch", "http://api.example.com/")).toBe("named");
  expect(await mesh("fetch", "https://api.example.com/")).toBe("rest");
  expect(await mesh("fetch", "https://www.example.com:8443/")).toBe("rest");
  expect(await mesh("echo", "api.example.com:5432")).toBe("ping");
  expect(await mesh("echo", "[2001:db8::1]:5432")).toBe("ping");
  expect(await mesh("fetch", "http://a.internal/")).toBe("wild");
  expect(await mesh("fetch", "http://10.1.1.1/")).toBe("wild");
  expect(await mesh("echo", "10.1.1.1:5432")).toBe("ping");
  for (const denied of ["http://10.9.0.1/", "http://0xa090001/", "http://[::ffff:10.9.0.1]:5432/"])
    await expect(mesh("fetch", denied)).rejects.toThrow("ProxyError: destination_ip_prohibited");
  await expect(mesh("echo", "10.9.0.1:5432")).rejects.toThrow("ProxyError: destination_ip_prohibited");
  await expect(mesh("echo", "mail.example.com:25")).rejects.toThrow("ProxyError: http_request_denied");
});

it("is for cf1:network alone, and never implied: an edit brings it and takes it away", async () => {
  await using origin = await startHttpOrigin(ok("public"));
  const file = path.join(folder, "vpc.jsonc");
  const write = (mesh: object): Promise<void> => {
    const host = { hostname: "api.example", resolver_network: { tunnel_id: TUNNEL } };
    const services = { [SERVICE]: { name: "api", type: "http", http_port: 80, host } };
    const networks = { [TUNNEL]: { routes: { "a.internal": "localhost:1" } }, "cf1:network": { routes: mesh } };
    return writeFile(file, JSON.stringify({ services, networks }));
  };
  await write({});
  await using worker = await start(file);
  const ask = (binding: string): Promise<unknown> => worker.call("fetch", [binding, "http://www.example/"]);
  const REFUSED = "ProxyError: destination_not_found";
  await expect(ask("MESH")).rejects.toThrow(REFUSED);
  expect(worker.output()).toContain('For every public host, its "routes" take "*": "passthrough".');
  await write({ "*": `127.0.0.1:${origin.port}` });
  await vi.waitFor(async () => expect(await ask("MESH")).toBe("public"), { timeout: 10_000 });
  await expect(ask("NET")).rejects.toThrow(REFUSED);
  await expect(ask("API")).rejects.toThrow(REFUSED);
  await write({});
  await vi.waitFor(() => expect(ask("MESH")).rejects.toThrow(REFUSED), { timeout: 10_000 });
});

it("a call that comes back to this session is a loop", async () => {
  await using worker = await start(
    { workerLimit: 2, networks: { "cf1:network": { routes: { "*": "passthrough" } } } },
    { first: `if (new URL(request.url).pathname === "/loop") return env.MESH.fetch(request.url);` },
  );
  for (const host of ["127.0.0.1", "localhost"]) {
    const { port } = new URL(await worker.miniflare.ready);
    const response = await worker.miniflare.dispatchFetch(`http://${host}:${port}/loop`);
    await response.text();
    await expect.poll(() => worker.output()).toMatch(/2 calls to port \d+, where this session itself listens/);
  }
});

it("limits and settings of the route are those of any other one", async () => {
  await using silent = await startTcpServer();
  await using secure = await startTlsOrigin({ ...root.issue("any", { names: ["a"] }), answer: ok("unchecked") });
  const tls_settings = { cert_verification_mode: "disabled" } as const;
  await using worker = await start({
    networks: {
      "cf1:network": {
        routes: {
          "*": { target: `127.0.0.1:${silent.port}`, readTimeout: 100 },
          "*:443": { target: `127.0.0.1:${secure.port}`, tls_settings },
        },
      },
    },
  });
  expect(await worker.call("fetch", ["MESH", "https://www.example.com/"])).toBe("unchecked");
  await expect(worker.call("fetch", ["MESH", "http://www.example.com/"])).rejects.toThrow(
    "ProxyError: connection_read_timeout",
  );
});

it("a rule for * takes what no other route holds; the journal finds it", async () => {
  await using origin = await startHttpOrigin(ok("origin"));
  const target = `127.0.0.1:${origin.port}`;
  await using worker = await start({
    services: { [SERVICE]: target },
    networks: {
      [TUNNEL]: { routes: { "a.internal": target } },
      "cf1:network": { routes: { "*": target, "*.example": target } },
    },
  });
  const ask = (binding: string, url: string): Promise<unknown> => worker.call("fetch", [binding, url]);
  await using vpc = await connectVpc(worker.miniflare);
  await vpc.on("*").respond({ text: "rest" });
  expect(await ask("MESH", "http://www.example.com/")).toBe("rest");
  expect(await ask("MESH", "http://10.0.0.1:8080/")).toBe("rest");
  // What no route holds at all, too.
  expect(await ask("NET", "http://b.internal/")).toBe("rest");
  expect(await ask("NET", "http://a.internal/")).toBe("origin");
  expect(await ask("MESH", "http://a.internal/")).toBe("origin");
  expect(await ask("MESH", "http://a.example/")).toBe("origin");
  expect(await ask("API", "http://www.example.com/")).toBe("origin");
  await vpc.on("*:8080").fail("dns_timeout");
  expect(await ask("MESH", "http://www.example.com/")).toBe("rest");
  await expect(ask("MESH", "http://10.0.0.1:8080/")).rejects.toThrow("ProxyError: dns_timeout");
  const urls = (await vpc.requests("*")).map(({ url }) => url);
  expect(urls).toEqual([
    "http://www.example.com/",
    "http://10.0.0.1:8080/",
    "http://b.internal/",
    "http://www.example.com/",
    "http://10.0.0.1:8080/",
  ]);
  expect((await vpc.requests("*:8080")).length).toBe(2);
});
