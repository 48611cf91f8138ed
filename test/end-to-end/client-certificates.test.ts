/** The certificates of records, from the vpc config to real mTLS servers, through workerd. */

import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import https from "node:https";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import type tls from "node:tls";

import { connectVpc } from "miniflare-vpc/test/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocketServer } from "ws";

import type { ServiceEntry, VpcConfig } from "../../plugin/config.ts";
import { findRunning } from "../../plugin/scenario/running.ts";
import { makeJournalHar } from "../../plugin/recordings/journal-har.ts";
import { captureConfigs } from "../capnp/capture.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { type Certified, makeAuthority } from "../servers/tls-certificates.ts";
import { type TlsOrigin, type TlsOriginOptions, startMutualOrigin } from "../servers/tls-server.ts";
import { TUNNEL, type TestWorker, type VpcFetcher, startTestWorker } from "../setup/test-worker.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "vpc-mtls-"));
afterAll(() => rm(folder, { recursive: true }));
beforeAll(() => {
  // This machine may have mkcert's root.
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
});

const AUTHORITY = "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90";
const OTHER_AUTHORITY = "0b7d5c0a-1e4f-4d0b-8a63-4d7e0f5c9a11";
const ALICE = "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f";
const BOB = "c1e5f4a3-0d9c-4e8b-9f70-2b3c4d5e6f70";

const corp = makeAuthority("Corp");
const alice = corp.issue("alice");
const certificate = corp.issue("users", { names: ["users.internal"] });

async function save(name: string, { cert, key }: Certified): Promise<void> {
  await writeFile(path.join(folder, `${name}.pem`), cert);
  await writeFile(path.join(folder, `${name}.key`), key);
}
await save("corp", corp);
await save("other", makeAuthority("Other"));
await save("alice", alice);
await save("bob", corp.issue("bob"));

const CERTIFICATES: NonNullable<VpcConfig["certificates"]> = {
  [AUTHORITY]: { ca: path.join(folder, "corp.pem") },
  [OTHER_AUTHORITY]: { ca: path.join(folder, "other.pem") },
  [ALICE]: { cert: path.join(folder, "alice.pem"), key: path.join(folder, "alice.key") },
  [BOB]: { cert: path.join(folder, "bob.pem"), key: path.join(folder, "bob.key") },
};

function record(client: string | null, authority: string | null = AUTHORITY): ServiceEntry {
  return {
    name: "users",
    type: "http",
    host: { hostname: "users.internal", resolver_network: { tunnel_id: TUNNEL } },
    tls_settings: {
      cert_verification_mode: "verify_full",
      certificate_authority: authority,
      client_certificate: client,
    },
  };
}

function startMutual(options: TlsOriginOptions = {}): Promise<TlsOrigin> {
  return startMutualOrigin({ ...certificate, ca: corp.cert, ...options });
}

const ids = { AS_ALICE: "alice", AS_BOB: "bob", AS_NOBODY: "nobody" } as const;
type Env = Record<keyof typeof ids, VpcFetcher> & { NET: VpcFetcher };

function start(config: VpcConfig | string): Promise<TestWorker> {
  return startTestWorker<Env>({
    config,
    env: {
      ...Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, { type: "vpc-service", id }])),
      NET: { type: "vpc-network", tunnelId: TUNNEL },
    },
    ops: {
      text: async (env, binding: keyof Env) => (await env[binding].fetch("https://users.internal/")).text(),
      post: async (env, binding: keyof Env) =>
        (await env[binding].fetch("https://users.internal/", { method: "POST", body: "once" })).text(),
      all: async (env, bindings: (keyof Env)[]) =>
        Promise.all(bindings.map(async (name) => (await env[name].fetch("https://users.internal/")).text())),
      greeting: async (env, binding: keyof Env) => {
        const { webSocket } = await env[binding].fetch("https://users.internal/", {
          headers: { Upgrade: "websocket" },
        });
        const said = new Promise((resolve) => {
          webSocket.addEventListener("message", (event: { data: unknown }) => resolve(event.data));
        });
        webSocket.accept();
        return said;
      },
      connect: async (env, binding: keyof Env) => {
        const socket = await env[binding].connect("users.internal:1");
        return new Response(socket.readable).text();
      },
    },
  });
}

function configFor(port: number, more: VpcConfig = {}): VpcConfig {
  return {
    certificates: CERTIFICATES,
    services: { alice: record(ALICE), bob: record(BOB), nobody: record(null) },
    networks: { [TUNNEL]: { routes: { "users.internal": `127.0.0.1:${port}` } } },
    ...more,
  };
}

test.each(["TLSv1.3", "TLSv1.2"] as const)(
  "each service shows its own certificate at one address: %s",
  async (maxVersion) => {
    await using origin = await startMutual({ maxVersion });
    await using worker = await start(configFor(origin.port));
    const names = Object.keys(ids);
    for (const _ of [1, 2, 3]) {
      expect(await worker.call("all", [...names, ...names])).toEqual([...Object.values(ids), ...Object.values(ids)]);
      for (const [name, expected] of Object.entries(ids)) {
        expect(await worker.call("text", name)).toBe(expected);
        expect(await worker.call("post", name)).toBe(expected);
      }
    }
  },
);

test("a network's binding shows none, and the authority of a record is not its own", async () => {
  await using origin = await startMutual();
  await using worker = await start(configFor(origin.port));
  await expect(worker.call("text", "NET")).rejects.toThrow("ProxyError: tls_certificate_error");
  await expect.poll(() => worker.output()).toContain('issued by "Corp"');
  await using trusting = await start(configFor(origin.port, { ca: [path.join(folder, "corp.pem")] }));
  expect(await trusting.call("text", "NET")).toBe("nobody");
});

test("an authority that is not the target's, although the config trusts the target's everywhere", async () => {
  await using origin = await startMutual();
  const ca = [path.join(folder, "corp.pem")];
  const config = configFor(origin.port, {
    ca,
    services: { alice: record(ALICE, OTHER_AUTHORITY), nobody: record(null) },
  });
  await using lenient = await start(config);
  // On this machine, "ca" counts beside an authority.
  expect(await lenient.call("text", "AS_ALICE")).toBe("alice");
  await using strict = await start({ ...config, trust: "production" });
  await expect(strict.call("text", "AS_ALICE")).rejects.toThrow("ProxyError: tls_certificate_error");
  await expect.poll(() => strict.output()).toContain('which stands for the "certificate_authority" of the record');
  expect(await strict.call("text", "AS_NOBODY")).toBe("nobody");
  await expect(strict.call("text", "NET")).rejects.toThrow("ProxyError: tls_certificate_error");
  await expect.poll(() => strict.output()).toContain('With "trust": "production", only public CAs');
});

test("a required certificate that the vpc config does not have: a warning, and then the reason", async () => {
  await using origin = await startMutual({ rejectUnauthorized: true });
  const { [ALICE]: _, ...others } = CERTIFICATES;
  await using worker = await start(configFor(origin.port, { certificates: others }));
  expect(worker.output()).toContain(
    `"client_certificate" is "${ALICE}", which "certificates" doesn't have: no client certificate is presented`,
  );
  await expect(worker.call("text", "AS_ALICE")).rejects.toThrow("ProxyError: tls_protocol_error");
  await expect.poll(() => worker.output()).toContain("the target requires a client certificate");
  expect(await worker.call("text", "AS_BOB")).toBe("bob");
});

test("a fault, a WebSocket, and the target of a test's rule: the service's own certificate is presented there, too", async () => {
  await using origin = await startMutual();
  const sockets = https.createServer({ ...certificate, ca: corp.cert, requestCert: true, rejectUnauthorized: true });
  const server = new WebSocketServer({ server: sockets });
  server.on("connection", (socket, { socket: peer }) =>
    socket.send(String((peer as tls.TLSSocket).getPeerCertificate().subject.CN)),
  );
  sockets.listen(0, "127.0.0.1");
  await once(sockets, "listening");
  const { port } = sockets.address() as AddressInfo;
  try {
    const faults = [{ type: "latency", attributes: { latency: 1 } }] as const;
    await using worker = await start(
      configFor(origin.port, {
        services: {
          alice: { ...record(ALICE), faults: [...faults] },
          bob: { ...record(BOB), target: `https://127.0.0.1:${port}` },
        },
      }),
    );
    expect(await worker.call("text", "AS_ALICE")).toBe("alice");
    expect(await worker.call("post", "AS_ALICE")).toBe("alice");
    expect(await worker.call("greeting", "AS_BOB")).toBe("bob");
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("AS_BOB").to(`https://127.0.0.1:${origin.port}`);
    expect(await worker.call("text", "AS_BOB")).toBe("bob");
  } finally {
    server.close();
    sockets.close();
    sockets.closeAllConnections();
  }
});

test("a rule's target for a call that the vpc config refuses has the roots of the config", async () => {
  await using origin = await startMutual();
  const ca = [path.join(folder, "corp.pem")];
  for (const [trust, expected] of [
    ["local", "nobody"],
    ["production", "Error: ProxyError: tls_certificate_error"],
  ] as const) {
    await using worker = await start({ ca, trust });
    await using vpc = await connectVpc(worker.miniflare);
    await vpc.on("NET").to(`https://127.0.0.1:${origin.port}`);
    expect(await worker.call("text", "NET").catch(({ message }) => `Error: ${message}`)).toBe(expected);
  }
});

test("connect() is plain TCP, whatever certificates the record of the service names", async () => {
  await using plain = await startTcpServer((socket) => void socket.end("plain"));
  const { tls_settings: settings, host } = record(ALICE);
  const tcp: ServiceEntry = {
    name: "db",
    type: "tcp",
    tcp_port: 5432,
    host,
    ...(settings && { tls_settings: settings }),
    target: `127.0.0.1:${plain.port}`,
  };
  await using worker = await start(configFor(1, { services: { alice: tcp } }));
  expect(await worker.call("connect", "AS_ALICE")).toBe("plain");
});

test("an edit of the files, and of the config, takes effect without a restart", async () => {
  await using origin = await startMutual();
  const file = path.join(folder, "vpc.json");
  const carol = { cert: "./carol.pem", key: "./carol.key" };
  const write = (more: VpcConfig): Promise<void> =>
    writeFile(file, JSON.stringify(configFor(origin.port, { services: { alice: record(ALICE) }, ...more })));
  await save("carol", corp.issue("carol"));
  await write({ certificates: { ...CERTIFICATES, [ALICE]: carol } });
  await using worker = await start(file);
  expect(await worker.call("text", "AS_ALICE")).toBe("carol");

  await save("carol", corp.issue("caroline"));
  await expect.poll(() => worker.call("text", "AS_ALICE").catch(String)).toBe("caroline");
  await writeFile(path.join(folder, "carol.key"), corp.key);
  await expect.poll(() => worker.output()).toContain('the private key "./carol.key" is not the key of the certificate');
  expect(worker.output()).toContain("the last good one stays in force");
  expect(await worker.call("text", "AS_ALICE")).toBe("caroline");
  await save("carol", corp.issue("carol"));
  await expect.poll(() => worker.call("text", "AS_ALICE").catch(String)).toBe("carol");
  await write({});
  await expect.poll(() => worker.call("text", "AS_ALICE").catch(String)).toBe("alice");
});

test("no part of a private key leaves Node: not for workerd, the terminal, the journal or a recording", async () => {
  await using origin = await startMutual({ rejectUnauthorized: true });
  const { result: worker, configs } = await captureConfigs(() => start(configFor(origin.port)));
  await using _ = worker;
  const { MINIFLARE_VPC: id } = await worker.miniflare.getBindings();
  const scenario = findRunning(String(id))?.scenario;
  if (scenario === undefined) throw new Error("the instance has no scenario");
  await scenario.observe();
  scenario.journal.watchClosely({});
  expect(await worker.call("text", "AS_ALICE")).toBe("alice");
  await expect(worker.call("text", "AS_NOBODY")).rejects.toThrow("tls_protocol_error");
  await expect.poll(() => worker.output()).toContain("requires a client certificate");

  const { entries } = scenario.journal;
  await expect.poll(() => entries[0]?.duration).toBeDefined();
  expect(entries[0]?.detail?.connection?.tls?.clientCertificate).toEqual({
    subject: "alice",
    fingerprint: new X509Certificate(alice.cert).fingerprint256,
  });
  expect(entries[1]?.detail?.connection?.tls).not.toHaveProperty("clientCertificate");
  const places = {
    workerd: configs.map((config) => Buffer.from(config).toString("latin1")).join(""),
    terminal: worker.output(),
    journal: JSON.stringify(entries),
    recording: JSON.stringify(makeJournalHar(scenario, entries, [])),
  };
  // The table has the names of the files.
  expect(places.workerd).toContain("alice.pem");
  expect(places.recording).toContain("users.internal");
  const secrets = alice.key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  expect(secrets.length).toBeGreaterThan(1);
  for (const [place, text] of Object.entries(places)) {
    // Compares booleans, so that a failure of the test doesn't print the key.
    expect([place, secrets.some((line) => text.includes(line))]).toEqual([place, false]);
    expect([place, text.includes("PRIVATE KEY")]).toEqual([place, false]);
  }
});
