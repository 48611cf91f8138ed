import { describe, expect, test } from "vitest";

import type { EgressFailure, EgressOrder } from "../../service-worker/routing/egress-protocol.ts";
import { type DnsAnswer, closedDnsPort, startDnsServer } from "../servers/dns-server.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startDeafServer, startTcpServer } from "../servers/tcp-server.ts";
import { ask } from "./ask.ts";

const HOST = "db.internal";

interface Lookup {
  resolvers: string[];
  port?: number;
  dnsTimeout?: number;
  connectTimeout?: number;
}

function orderFor({ resolvers, port = 1, dnsTimeout = 5000, connectTimeout = 5000 }: Lookup): EgressOrder {
  return {
    op: "http",
    target: { type: "address", host: HOST, port, resolvers },
    limits: { connectTimeout, dnsTimeout },
  };
}

async function failureOf(lookup: Lookup): Promise<EgressFailure | undefined> {
  return (await ask({ order: orderFor(lookup) })).failure;
}

describe("only the name servers of the order are asked", () => {
  test.each([
    ["A", { A: ["127.0.0.1"] }, "127.0.0.1"],
    ["AAAA", { AAAA: ["::1"] }, "::1"],
    ["A and AAAA, and the server listens on IPv4", { A: ["127.0.0.1"], AAAA: ["::1"] }, "127.0.0.1"],
    ["A and AAAA, and the server listens on IPv6", { A: ["127.0.0.1"], AAAA: ["::1"] }, "::1"],
    // macOS has only the last of them, and Node tries the next one if one does not answer within 250 ms.
    ["several, and the server listens on the last", { A: ["127.0.0.3", "127.0.0.2", "127.0.0.1"] }, "127.0.0.1"],
  ])("%s", async (_, answer, host) => {
    await using origin = await startHttpOrigin(ok("found"), { host });
    await using dns = await startDnsServer(answer);
    const { body } = await ask({ order: orderFor({ resolvers: [dns.address], port: origin.port }) });
    expect(body).toBe("found");
    expect([...dns.questions].sort()).toEqual([`A ${HOST}`, `AAAA ${HOST}`]);
  });

  test.each(["localhost", "app.localhost"])("not for %s, which is loopback (RFC 6761 §6.3)", async (host) => {
    await using origin = await startHttpOrigin(ok("found"));
    await using dns = await startDnsServer("NXDOMAIN");
    const order = orderFor({ resolvers: [dns.address], port: origin.port }) as EgressOrder & { op: "http" };
    const target = { ...order.target, host } as typeof order.target;
    expect((await ask({ order: { ...order, target } })).body).toBe("found");
    expect(dns.questions).toEqual([]);
  });

  test("a name server that never answers for AAAA does not delay A", async () => {
    await using origin = await startHttpOrigin(ok("found"));
    await using dns = await startDnsServer((_, type) => (type === "AAAA" ? "silent" : { A: ["127.0.0.1"] }));
    const started = performance.now();
    expect((await ask({ order: orderFor({ resolvers: [dns.address], port: origin.port }) })).body).toBe("found");
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test.each<DnsAnswer | "nobody listens">(["SERVFAIL", "REFUSED", "silent", "nobody listens"])(
    "the next one is asked after this result: %s",
    async (first) => {
      await using origin = await startHttpOrigin(ok("found"));
      await using bad = await startDnsServer(first === "nobody listens" ? "silent" : first);
      await using good = await startDnsServer({ A: ["127.0.0.1"] });
      const resolvers = [first === "nobody listens" ? await closedDnsPort() : bad.address, good.address];
      const order = orderFor({ resolvers, port: origin.port, dnsTimeout: 1000 });
      expect((await ask({ order })).body).toBe("found");
    },
  );
});

describe("messages", () => {
  test.each<[DnsAnswer, string, string]>([
    ["NXDOMAIN", "says that the name db.internal does not exist (NXDOMAIN)", "Correct the target's"],
    [{}, "says that the name db.internal has no address, neither A nor AAAA", "add an A or AAAA record"],
    ["SERVFAIL", "failed to answer for db.internal (SERVFAIL)", "The name server is at fault, not the name"],
    ["REFUSED", "refuses to answer for db.internal (REFUSED)", "Allow this machine to query it"],
  ])("%j", async (answer, detail, hint) => {
    await using dns = await startDnsServer(answer);
    const failure = await failureOf({ resolvers: [dns.address] });
    expect(failure).toEqual({
      code: "dns_error",
      detail: expect.stringContaining(detail),
      hint: expect.stringContaining(hint),
    });
    expect(failure?.detail).toContain(dns.address);
  });

  test("if no name server listens, that is reported as dns_error, not connection_refused", async () => {
    const server = await closedDnsPort();
    expect(await failureOf({ resolvers: [server] })).toEqual({
      code: "dns_error",
      detail: `no name server is listening at ${server}`,
      hint: expect.any(String),
    });
  });

  test("after NXDOMAIN, no other name server is asked", async () => {
    await using one = await startDnsServer("NXDOMAIN");
    await using other = await startDnsServer({ A: ["127.0.0.1"] });
    expect((await failureOf({ resolvers: [one.address, other.address] }))?.detail).toContain("NXDOMAIN");
    expect(other.questions).toEqual([]);
  });

  test("if several fail, the message names each", async () => {
    await using silent = await startDnsServer("silent");
    await using broken = await startDnsServer("SERVFAIL");
    const failure = await failureOf({ resolvers: [silent.address, broken.address], dnsTimeout: 300 });
    expect(failure).toMatchObject({
      code: "dns_error",
      detail: `the name server ${broken.address} failed to answer for ${HOST} (SERVFAIL) (${silent.address}: no answer)`,
    });
  });
});

describe("time limits", () => {
  test("dnsTimeout covers all name servers together, apart from connectTimeout", async () => {
    await using one = await startDnsServer("silent");
    await using other = await startDnsServer("silent");
    const resolvers = [one.address, other.address];
    const started = performance.now();
    expect(await failureOf({ resolvers, dnsTimeout: 300, connectTimeout: 100 })).toEqual({
      code: "dns_timeout",
      detail: `no answer for ${HOST} within 300 ms from the name server ${resolvers.join(", ")}`,
      hint: expect.stringContaining('"dnsTimeout"'),
    });
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(290);
    expect(took).toBeLessThan(1000);
    expect(other.questions.length).toBeGreaterThan(0);
  });

  test("connectTimeout begins when the name is resolved", async () => {
    await using deaf = await startDeafServer();
    await using dns = await startDnsServer({ A: ["127.0.0.1"] });
    expect(
      await failureOf({ resolvers: [dns.address], port: deaf.port, dnsTimeout: 5000, connectTimeout: 150 }),
    ).toMatchObject({ code: "connection_timeout", detail: expect.stringContaining("within 150 ms") });
  });

  test("connectTimeout covers the connection and the TLS handshake", async () => {
    await using mute = await startTcpServer();
    await using dns = await startDnsServer({ A: ["127.0.0.1"] });
    const order = orderFor({ resolvers: [dns.address], port: mute.port, dnsTimeout: 5000, connectTimeout: 150 });
    const tls = { hostName: HOST, verify: "disabled" as const, ca: [] };
    const { failure } = await ask({ order: { ...order, tls } as EgressOrder });
    expect(failure).toMatchObject({ code: "connection_timeout", detail: expect.stringContaining("TLS handshake") });
  });
});
