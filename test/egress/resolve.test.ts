import { describe, expect, test } from "vitest";

import type { EgressFailure, EgressOrder } from "../../service-worker/egress-protocol.ts";
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

describe("the name servers of the order are asked, and no others", () => {
  test.each([
    ["A", { A: ["127.0.0.1"] }, "127.0.0.1"],
    ["AAAA", { AAAA: ["::1"] }, "::1"],
    ["both, where only the first family listens", { A: ["127.0.0.1"], AAAA: ["::1"] }, "127.0.0.1"],
    ["both, where only the other listens", { A: ["127.0.0.1"], AAAA: ["::1"] }, "::1"],
    ["several, the last of which listens", { A: ["127.0.0.3", "127.0.0.2", "127.0.0.1"] }, "127.0.0.1"],
  ])("%s", async (_, answer, host) => {
    await using origin = await startHttpOrigin(ok("found"), { host });
    await using dns = await startDnsServer(answer);
    const { body } = await ask({ order: orderFor({ resolvers: [dns.address], port: origin.port }) });
    expect(body).toBe("found");
    expect([...dns.questions].sort()).toEqual([`A ${HOST}`, `AAAA ${HOST}`]);
  });

  test("even for a name of this machine's own", async () => {
    await using dns = await startDnsServer("NXDOMAIN");
    const order = orderFor({ resolvers: [dns.address] }) as EgressOrder & { op: "http" };
    const target = { ...order.target, host: "localhost" } as typeof order.target;
    expect((await ask({ order: { ...order, target } })).failure?.code).toBe("dns_error");
    expect(dns.questions).toContain("A localhost");
  });

  test("a server that never answers for AAAA does not hold A back", async () => {
    await using origin = await startHttpOrigin(ok("found"));
    await using dns = await startDnsServer((_, type) => (type === "AAAA" ? "silent" : { A: ["127.0.0.1"] }));
    const started = performance.now();
    expect((await ask({ order: orderFor({ resolvers: [dns.address], port: origin.port }) })).body).toBe("found");
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test.each<DnsAnswer | "nobody listens">(["SERVFAIL", "REFUSED", "silent", "nobody listens"])(
    "the next one is asked after: %s",
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

describe("what goes wrong, in words", () => {
  test.each<[DnsAnswer, string, string]>([
    ["NXDOMAIN", "the name db.internal does not exist (NXDOMAIN), says the name server", "Correct the target's"],
    [{}, "the name db.internal has no address, neither A nor AAAA, says the name server", "add an A or AAAA record"],
    ["SERVFAIL", "failed to answer for db.internal (SERVFAIL)", "the name server's, not the name's"],
    ["REFUSED", "refuses to answer for db.internal (REFUSED)", "Have it answer this machine"],
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

  test("nobody listens where the name server should be: not the target's refusal", async () => {
    const server = await closedDnsPort();
    expect(await failureOf({ resolvers: [server] })).toEqual({
      code: "dns_error",
      detail: `no name server listens at ${server}`,
      hint: expect.any(String),
    });
  });

  test("an answer that the name does not exist ends the search", async () => {
    await using one = await startDnsServer("NXDOMAIN");
    await using other = await startDnsServer({ A: ["127.0.0.1"] });
    expect((await failureOf({ resolvers: [one.address, other.address] }))?.detail).toContain("NXDOMAIN");
    expect(other.questions).toEqual([]);
  });

  test("of several that failed, each is named", async () => {
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
  test("dnsTimeout is for all servers together, and leaves connectTimeout alone", async () => {
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

  test("of TLS, the handshake has what the connection has left of connectTimeout", async () => {
    await using mute = await startTcpServer();
    await using dns = await startDnsServer({ A: ["127.0.0.1"] });
    const order = orderFor({ resolvers: [dns.address], port: mute.port, dnsTimeout: 5000, connectTimeout: 150 });
    const tls = { hostName: HOST, verify: "disabled" as const, ca: [] };
    const { failure } = await ask({ order: { ...order, tls } as EgressOrder });
    expect(failure).toMatchObject({ code: "connection_timeout", detail: expect.stringContaining("TLS handshake") });
  });
});
