/** Routes with their own TLS settings, roots and limits, beside routes without. `causes-*.ts` have one for each limit. */

import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import type net from "node:net";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { NetworkEntry, RouteEntry, VpcConfig } from "../../plugin/config.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { SERVICE, TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "vpc-route-settings-"));
afterAll(() => rm(folder, { recursive: true }));
beforeAll(() => {
  // Whoever runs the tests may have set mkcert up.
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
});

const root = makeAuthority("Test root");
const corp = makeAuthority("Corporate root");
const ca = path.join(folder, "root.pem");
const corpCa = path.join(folder, "corp.pem");
await writeFile(ca, root.cert);
await writeFile(corpCa, corp.cert);

const REFUSED = "ProxyError: tls_certificate_error";

function mode(verify: "verify_full" | "verify_ca" | "disabled"): Pick<RouteEntry, "tls_settings"> {
  return { tls_settings: { cert_verification_mode: verify } };
}

function network(routes: NetworkEntry["routes"], more: VpcConfig = {}): VpcConfig {
  return { ...more, networks: { [TUNNEL]: { ...(routes && { routes }) } } };
}

const env = {
  API: { type: "vpc-service", id: SERVICE },
  NET: { type: "vpc-network", tunnelId: TUNNEL },
  MESH: { type: "vpc-network", networkId: "cf1:network" },
};

async function start(config: VpcConfig | string): Promise<TestWorker> {
  return startTestWorker({
    config,
    env,
    ops: {
      text: async (bindings, [binding, url]: [keyof TestEnv, string]) => (await bindings[binding].fetch(url)).text(),
      two: async ({ NET }, urls: [string, string]) => {
        const [first, second] = urls.map((url) => NET.fetch(url).then((response) => response.text(), String));
        const failure = await second;
        await NET.fetch("http://release.internal/");
        return [await first, failure];
      },
      hold: async ({ NET }, addresses: string[]) => {
        const outcomes = [];
        for (const address of addresses) {
          outcomes.push(
            await NET.connect(address).then(
              () => "open",
              (error: Error) => error.message,
            ),
          );
        }
        return outcomes;
      },
    },
  });
}

/** @returns the body, or the error's message */
function ask(worker: TestWorker, url: string, binding = "NET"): Promise<string> {
  return worker.call<string>("text", [binding, url]).catch((error: Error) => error.message);
}

describe("TLS settings of a route", () => {
  it("let one self-signed target in among verified ones, for every binding that takes the route", async () => {
    await using good = await startTlsOrigin({
      ...root.issue("good", { names: ["good.internal"] }),
      answer: ok("good"),
    });
    await using selfSigned = await startTlsOrigin({ ...selfSign("dev box"), answer: ok("self-signed") });
    await using worker = await start({
      ca: [ca],
      services: {
        [SERVICE]: {
          name: "dev",
          type: "http",
          host: { hostname: "dev.internal", resolver_network: { tunnel_id: TUNNEL } },
          ...mode("verify_full"),
        },
      },
      ...network({
        "good.internal": `127.0.0.1:${good.port}`,
        "dev.internal": { target: `127.0.0.1:${selfSigned.port}`, ...mode("disabled") },
        "*.internal": `127.0.0.1:${selfSigned.port}`,
      }),
    });
    expect(await ask(worker, "https://good.internal/")).toBe("good");
    expect(await ask(worker, "https://other.internal/")).toBe(REFUSED);
    expect(await ask(worker, "https://dev.internal/")).toBe("self-signed");
    expect(await ask(worker, "https://dev.internal/", "MESH")).toBe("self-signed");
    expect(await ask(worker, "https://dev.internal/", "API")).toBe("self-signed");
    expect(await ask(worker, "https://other.internal/", "MESH")).toBe(REFUSED);
  });

  it("check one target among those that are not checked", async () => {
    await using selfSigned = await startTlsOrigin({ ...selfSign("dev box"), answer: ok("self-signed") });
    const target = `127.0.0.1:${selfSigned.port}`;
    await using worker = await start({
      networks: {
        [TUNNEL]: {
          ...mode("disabled"),
          routes: { "checked.internal": { target, ...mode("verify_ca") }, "*.internal": target },
        },
      },
    });
    expect(await ask(worker, "https://checked.internal/")).toBe(REFUSED);
    expect(await ask(worker, "https://other.internal/")).toBe("self-signed");
  });

  it("add roots to those at the top, for this route only", async () => {
    const names = ["a.internal", "b.internal"];
    await using byRoot = await startTlsOrigin({ ...root.issue("root", { names }), answer: ok("root") });
    await using byCorp = await startTlsOrigin({ ...corp.issue("corp", { names }), answer: ok("corp") });
    await using worker = await start(
      network(
        {
          "a.internal": { target: `127.0.0.1:${byCorp.port}`, ca: [corpCa] },
          "a.internal:8443": { target: `127.0.0.1:${byRoot.port}`, ca: [corpCa] },
          "b.internal": `127.0.0.1:${byCorp.port}`,
        },
        { ca: [ca] },
      ),
    );
    expect(await ask(worker, "https://a.internal/")).toBe("corp");
    expect(await ask(worker, "https://a.internal:8443/")).toBe("root");
    expect(await ask(worker, "https://b.internal/")).toBe(REFUSED);
  });

  it("keep connections apart: no route uses one that was made with another mode or other roots", async () => {
    const connections: net.Socket[] = [];
    await using origin = await startTlsOrigin({
      ...corp.issue("a", { names: ["a.internal"] }),
      answer(_, socket) {
        if (!connections.includes(socket)) connections.push(socket);
        return ok(`connection ${connections.indexOf(socket) + 1}`);
      },
    });
    const target = `127.0.0.1:${origin.port}`;
    await using worker = await start({
      // workerd's own client has no such limit, so it doesn't take part.
      readTimeout: 30_000,
      ...network({
        "a.internal:1": { target, ...mode("disabled") },
        "a.internal:2": { target, ca: [corpCa] },
        "a.internal:3": { target, ca: [corpCa, ca] },
        "a.internal:4": { target, ca: [corpCa], ...mode("verify_ca") },
        "a.internal:5": { target, ca: [ca] },
        "a.internal:6": { target, ca: [corpCa], readTimeout: 60_000 },
        "a.internal": target,
      }),
    });
    const ofRoute = (port: number): Promise<string> => ask(worker, `https://a.internal:${port}/`);
    for (const port of [1, 2, 3, 4]) {
      expect(await ofRoute(port)).toBe(`connection ${port}`);
      expect(await ofRoute(port), "its connection is kept").toBe(`connection ${port}`);
      expect(await ofRoute(5)).toBe(REFUSED);
      expect(await ofRoute(7)).toBe(REFUSED);
    }
    expect(await ofRoute(6), "a limit is no reason for another connection").toBe("connection 2");
    expect(
      origin.handshakes.filter(({ isResumed }) => isResumed),
      "nor does a TLS session lead from one route to another",
    ).toEqual([]);
  });
});

describe("an edit", () => {
  const file = path.join(folder, "vpc.json");
  const write = (entry: RouteEntry): Promise<void> =>
    writeFile(file, JSON.stringify(network({ "a.internal": entry, "b.internal": { ...entry, ...mode("disabled") } })));

  it("of a route's mode or roots counts at once, also for connections that are kept", async () => {
    await using origin = await startTlsOrigin({ ...corp.issue("a", { names: ["a.internal"] }), answer: ok("a") });
    const target = `127.0.0.1:${origin.port}`;
    await write({ target });
    await using worker = await start(file);
    const expectAnswer = (answer: string): Promise<void> =>
      expect.poll(() => ask(worker, "https://a.internal/"), { interval: 10, timeout: 10_000 }).toBe(answer);
    expect(await ask(worker, "https://a.internal/")).toBe(REFUSED);
    await write({ target, ca: ["corp.pem"] });
    await expectAnswer("a");
    await write({ target, ca: ["root.pem"] });
    await expectAnswer(REFUSED);
    await write({ target, ...mode("disabled") });
    await expectAnswer("a");
    await write({ target, ...mode("verify_full") });
    await expectAnswer(REFUSED);
    expect(await ask(worker, "https://b.internal/"), "another route to the same target").toBe("a");
  });

  it("of the file that a route's `ca` names counts, too", async () => {
    const own = path.join(folder, "own.pem");
    await writeFile(own, root.cert);
    await using origin = await startTlsOrigin({ ...corp.issue("a", { names: ["a.internal"] }), answer: ok("a") });
    await write({ target: `127.0.0.1:${origin.port}`, ca: ["own.pem"] });
    await using worker = await start(file);
    expect(await ask(worker, "https://a.internal/")).toBe(REFUSED);
    await writeFile(own, corp.cert);
    await expect.poll(() => ask(worker, "https://a.internal/"), { interval: 10, timeout: 10_000 }).toBe("a");
  });

  it("of a route's limits counts at once, although the target was reached directly before", async () => {
    await using origin = await startHttpOrigin((request) => (request.startsWith("GET /never") ? undefined : ok("a")));
    const target = `127.0.0.1:${origin.port}`;
    const writeWith = (entry: RouteEntry, deny: "dns_error" | "rate_limited"): Promise<void> =>
      writeFile(file, JSON.stringify(network({ "a.internal": entry, "edited.internal": { deny } })));
    await writeWith({ target }, "dns_error");
    await using worker = await start(file);
    expect(await ask(worker, "http://a.internal/")).toBe("a");
    await writeWith({ target, readTimeout: 100 }, "rate_limited");
    await expect
      .poll(() => ask(worker, "http://edited.internal/"), { interval: 10, timeout: 10_000 })
      .toBe("ProxyError: rate_limited");
    expect(await ask(worker, "http://a.internal/never")).toBe("ProxyError: connection_read_timeout");
    expect(await ask(worker, "http://a.internal/")).toBe("a");
  });
});

describe("limits of a route", () => {
  it("apply to that route only: another one waits for the same target", async () => {
    const { promise: isReleased, resolve: answer } = Promise.withResolvers<void>();
    await using slow = await startHttpOrigin((_, socket) => {
      void isReleased.then(() => socket.write(ok("late")));
      return undefined;
    });
    await using release = await startHttpOrigin(() => {
      answer();
      return ok("");
    });
    const target = `127.0.0.1:${slow.port}`;
    await using worker = await start(
      network(
        {
          "patient.internal": target,
          "impatient.internal": { target, readTimeout: 100 },
          "release.internal": `127.0.0.1:${release.port}`,
        },
        { readTimeout: 200_000 },
      ),
    );
    expect(await worker.call("two", ["http://patient.internal/", "http://impatient.internal/"])).toEqual([
      "late",
      "Error: ProxyError: connection_read_timeout",
    ]);
    expect(worker.output()).toContain("no response within 100 ms");
  });

  it("count connections to the target, but refuse only on that route", async () => {
    await using server = await startTcpServer();
    const target = `127.0.0.1:${server.port}`;
    await using worker = await start(
      network({ "one.internal": { target, connectionLimit: 1 }, "any.internal:1": { target, connectionLimit: 9 } }),
    );
    expect(await worker.call("hold", ["one.internal:1", "any.internal:1", "one.internal:1"])).toEqual([
      "open",
      "open",
      "ProxyError: connection_limit_reached",
    ]);
    expect(worker.output()).toContain('"connectionLimit" is 1');
  });

  it("leave the rate limit of the binding as it is", async () => {
    await using origin = await startHttpOrigin(ok("a"));
    await using worker = await start(
      network(
        { "a.internal": { target: `127.0.0.1:${origin.port}`, readTimeout: 60_000 } },
        { rateLimit: { limit: 1, period: 3600 } },
      ),
    );
    expect(await ask(worker, "http://a.internal/")).toBe("a");
    expect(await ask(worker, "http://a.internal/")).toBe("ProxyError: rate_limited");
  });
});
