/** Destinations that are known only with the request: wildcards, CIDRs and passthrough, to any port, with and without TLS. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDnsServer } from "../servers/dns-server.ts";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { TUNNEL, startTestWorker, type TestEnv } from "../setup/test-worker.ts";

const ops = {
  thrice: async (env: TestEnv, url: string) => {
    const texts: string[] = [];
    for (const _ of [1, 2, 3]) texts.push(await (await env.NET.fetch(url)).text());
    return texts;
  },
  echo: async (env: TestEnv, address: string) => {
    const socket = await env.NET.connect(address);
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("ping"));
    await writer.close();
    return new Response(socket.readable).text();
  },
};

const root = makeAuthority("Test root");
const names = ["api.corp.example", "any.internal", "127.0.0.1", "::1"];
let folder: string;
let ca: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "vpc-destinations-"));
  ca = path.join(folder, "root.pem");
  await writeFile(ca, root.cert);
});
afterAll(() => rm(folder, { recursive: true }));

const origins: [scheme: string, start: (host: string) => Promise<HttpOrigin>][] = [
  ["http", (host) => startHttpOrigin(ok("here"), { host })],
  ["https", (host) => startTlsOrigin({ ...root.issue("any", { names }), answer: ok("here"), host })],
];

const destinations: [what: string, destination: string, target: string, host: string, listensAt: string][] = [
  [
    "a wildcard that passes through, by the network's name server",
    "*.corp.example",
    "passthrough",
    "api.corp.example",
    "127.0.0.1",
  ],
  ["the same, to an IPv6 address", "*.corp.example", "passthrough", "api.corp.example", "::1"],
  ["a wildcard to a host", "*.internal", "localhost", "any.internal", "127.0.0.1"],
  ["a CIDR that passes through", "127.0.0.0/8", "passthrough", "127.0.0.1", "127.0.0.1"],
  ["an IPv6 CIDR that passes through", "::/64", "passthrough", "[::1]", "::1"],
  ["an address that passes through", "127.0.0.1", "passthrough", "127.0.0.1", "127.0.0.1"],
  ["an IPv4 address to an IPv6 one", "127.0.0.1", "[::1]", "127.0.0.1", "::1"],
  ["everything that passes through, a name", "*", "passthrough", "api.corp.example", "127.0.0.1"],
  ["everything that passes through, an IPv6 address", "*", "passthrough", "[::1]", "::1"],
  ["everything to a host", "*", "localhost", "any.internal", "127.0.0.1"],
];

describe.each(destinations)("%s", (_, destination, target, host, listensAt) => {
  const isV6 = listensAt.includes(":");
  const startResolver = (): ReturnType<typeof startDnsServer> =>
    startDnsServer(isV6 ? { AAAA: [listensAt] } : { A: [listensAt] });

  test.each(origins)("%s: any port, kept connections, the same Host", async (scheme, start) => {
    await using resolver = await startResolver();
    await using origin = await start(listensAt);
    const network = { resolver_ips: [resolver.address], routes: { [destination]: target } };
    await using worker = await startTestWorker({ config: { ca: [ca], networks: { [TUNNEL]: network } }, ops });
    expect(await worker.call("thrice", `${scheme}://${host}:${origin.port}/`)).toEqual(["here", "here", "here"]);
    // The third request may be the first one on a lane, which has connections of its own.
    expect(origin.accepted).toBeLessThanOrEqual(2);
    const hosts = origin.requests.map((request) => /^host: (.*)\r$/im.exec(request)?.[1]);
    expect(hosts).toEqual(Array(3).fill(`${host}:${origin.port}`));
    const asked = host.endsWith(".example") ? [`A ${host}`, `AAAA ${host}`] : [];
    expect([...new Set(resolver.questions)].toSorted()).toEqual(asked);
  });

  test("connect()", async () => {
    await using resolver = await startResolver();
    await using server = await startTcpServer(echo, { host: listensAt, allowHalfOpen: true });
    const network = { resolver_ips: [resolver.address], routes: { [destination]: target } };
    await using worker = await startTestWorker({ config: { networks: { [TUNNEL]: network } }, ops });
    expect(await worker.call("echo", `${host}:${server.port}`)).toBe("ping");
  });
});

test("a service that passes through uses its network's name servers", async () => {
  await using resolver = await startDnsServer({ A: ["127.0.0.1"] });
  await using origin = await startHttpOrigin(ok("users"));
  const network = { resolver_ips: [resolver.address] };
  const host = { hostname: "users.corp.example", resolver_network: { tunnel_id: TUNNEL } };
  const record = { name: "users", type: "http", http_port: origin.port, host, target: "passthrough" } as const;
  await using worker = await startTestWorker({
    config: { services: { API: record }, networks: { [TUNNEL]: network } },
    ops: { get: async (env) => (await env.API.fetch("http://whatever/")).text() },
  });
  expect(await worker.call("get")).toBe("users");
  expect(resolver.questions).toContain("A users.corp.example");
});
