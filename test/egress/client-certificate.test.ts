/** Client certificates, presented to real servers: whose is whose, and what a refusal looks like. */

import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";

import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { describeNoResponse } from "../../plugin/egress/http/response-failure.ts";
import type { EgressOrder, EgressTls } from "../../service-worker/routing/egress-protocol.ts";
import { reset, startTcpServer } from "../servers/tcp-server.ts";
import { type Certified, makeAuthority } from "../servers/tls-certificates.ts";
import { type TlsOrigin, type TlsOriginOptions, startMutualOrigin } from "../servers/tls-server.ts";
import { ask, httpTo } from "./ask.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "mvpc-client-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => void vi.restoreAllMocks());
beforeEach(() => {
  // This machine may have mkcert's root.
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
});

const HOST = "users.internal";
const DAY = 24 * 60 * 60 * 1000;
const root = makeAuthority("Test root");
const ca = path.join(folder, "root.pem");
await writeFile(ca, root.cert);
const server = root.issue(HOST, { names: [HOST] });

type Client = NonNullable<EgressTls["client"]>;

async function save(name: string, { cert, key }: Certified): Promise<Client> {
  const files = { cert: path.join(folder, `${name}.pem`), key: path.join(folder, `${name}.key`) };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  return files;
}

const alice = await save("alice", root.issue("alice"));
const bob = await save("bob", root.issue("bob"));
const stranger = await save("stranger", makeAuthority("Stranger").issue("mallory"));
const expired = await save(
  "expired",
  root.issue("old", { notBefore: new Date(Date.now() - 3 * DAY), notAfter: new Date(Date.now() - DAY) }),
);

function over(port: number, client?: Client, tlsOrder: Partial<EgressTls> = {}): EgressOrder {
  return {
    ...httpTo(port),
    tls: { hostName: HOST, verify: "verify_full", ca: [ca], ...(client && { client }), ...tlsOrder },
  };
}

function startMutual(options: TlsOriginOptions = {}): Promise<TlsOrigin> {
  return startMutualOrigin({ ...server, ca: root.cert, ...options });
}

const VERSIONS = ["TLSv1.3", "TLSv1.2"] as const;

describe.each(VERSIONS)("%s", (maxVersion) => {
  test.each(["verify_full", "disabled"] as const)("is presented if it is required: %s", async (verify) => {
    await using origin = await startMutual({ maxVersion, rejectUnauthorized: true });
    for (const _ of [1, 2]) expect((await ask({ order: over(origin.port, alice, { verify }) })).body).toBe("alice");
    expect(origin.accepted).toBe(1);
  });

  test("is presented if it is requested, and isn't if it is not", async () => {
    await using asking = await startMutual({ maxVersion });
    expect((await ask({ order: over(asking.port, alice) })).body).toBe("alice");
    await using silent = await startMutual({ maxVersion, requestCert: false });
    expect((await ask({ order: over(silent.port, alice) })).body).toBe("nobody");
  });

  test("comes with the intermediate certificates of its file", async () => {
    const intermediate = makeAuthority("Intermediate", { by: root });
    const leaf = intermediate.issue("carol");
    const client = await save(`chain ${maxVersion}`, { ...leaf, cert: leaf.cert + intermediate.cert });
    await using origin = await startMutual({ maxVersion, rejectUnauthorized: true });
    expect((await ask({ order: over(origin.port, client) })).body).toBe("carol");
  });

  test("two certificates and none, at one address: never another's connection, nor another's TLS session", async () => {
    await using origin = await startMutual({ maxVersion });
    const callers = [
      ["alice", alice],
      ["bob", bob],
      ["nobody", undefined],
    ] as const;
    for (const round of [1, 2, 3]) {
      // All at once, then each alone on the connections that were kept.
      const answers = await Promise.all(callers.map(([, client]) => ask({ order: over(origin.port, client) })));
      expect(answers.map(({ body }) => body)).toEqual(callers.map(([name]) => name));
      for (const [name, client] of callers) expect((await ask({ order: over(origin.port, client) })).body).toBe(name);
      expect(origin.accepted).toBe(3 * round);
      // The next connections resume TLS sessions.
      for (const socket of origin.open) socket.destroy();
      await expect.poll(() => origin.open.size).toBe(0);
    }
    expect(origin.handshakes.map(({ isResumed }) => isResumed)).toEqual([
      ...Array<boolean>(3).fill(false),
      ...Array<boolean>(6).fill(true),
    ]);
  });

  test("a renewed certificate applies to the next request, even on kept connections and TLS sessions", async () => {
    await using origin = await startMutual({ maxVersion });
    const client = await save(`renewed ${maxVersion}`, root.issue("before"));
    expect((await ask({ order: over(origin.port, client) })).body).toBe("before");
    await save(`renewed ${maxVersion}`, root.issue("after"));
    await expect.poll(async () => (await ask({ order: over(origin.port, client) })).body).toBe("after");
  });

  test("none is presented, but one is required", async () => {
    await using origin = await startMutual({ maxVersion, rejectUnauthorized: true });
    expect((await ask({ order: over(origin.port) })).failure).toEqual({
      code: "tls_protocol_error",
      detail: "the target requires a client certificate",
      hint: 'Give the record of a VPC Service a "client_certificate", and name its files in "certificates" of the vpc config.',
    });
    expect(origin.requests).toEqual([]);
  });

  test("the one of the record is missing in certificates, and one is required", async () => {
    await using origin = await startMutual({ maxVersion, rejectUnauthorized: true });
    const missing = [{ field: "client_certificate" as const, id: "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f" }];
    expect((await ask({ order: over(origin.port, undefined, { missing }) })).failure).toEqual({
      code: "tls_protocol_error",
      detail: "the target requires a client certificate",
      hint: `"certificates" of the vpc config doesn't have the record's "client_certificate". Add "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f": { "cert": "./client.pem", "key": "./client.key" }.`,
    });
  });

  // Node's server sends no alert if it refuses a certificate: it closes the connection, in TLS 1.3 after the handshake.
  test.each([
    ["of an unknown issuer", stranger, "mallory"],
    ["that has expired", expired, "old"],
  ])("one %s, at a server that hangs up", async (_, client, name) => {
    await using origin = await startMutual({ maxVersion, rejectUnauthorized: true });
    const { failure } = await ask({ order: over(origin.port, client) });
    expect(failure).toEqual({
      code: "connection_terminated",
      detail: "the target closed the connection before it answered",
      hint: `If it checks client certificates, it may have refused "${name}" of ${client.cert}. Look into its log.`,
    });
    expect(origin.requests).toEqual([]);
  });
});

/** RFC 8446 §6: a fatal alert, in the clear. */
function alert(code: number): Buffer {
  return Buffer.from([0x15, 3, 3, 0, 2, 2, code]);
}

describe("a target that refuses it with an alert", () => {
  const why: [name: string, code: number, words: string][] = [
    ["bad_certificate", 42, "it can't verify it"],
    ["unsupported_certificate", 43, "it doesn't support its kind"],
    ["certificate_revoked", 44, "it was revoked"],
    ["certificate_expired", 45, "it has expired, or isn't valid yet"],
    ["certificate_unknown", 46, "it doesn't say why"],
    ["unknown_ca", 48, 'it doesn\'t know its issuer "Test root"'],
    ["access_denied", 49, "it has no access"],
    ["certificate_required", 116, "it doesn't take a key of its kind"],
  ];

  test.each(why)("%s", async (_, code, words) => {
    await using target = await startTcpServer((socket) => void socket.once("data", () => socket.end(alert(code))));
    expect((await ask({ order: over(target.port, alice) })).failure).toEqual({
      code: "tls_protocol_error",
      detail: `the target refuses the client certificate "alice" of ${alice.cert}: ${words}`,
      hint: 'Name another one in "certificates" of the vpc config, or make the target accept this one.',
    });
  });

  test("another alert says what it says", async () => {
    await using target = await startTcpServer((socket) => void socket.once("data", () => socket.end(alert(71))));
    expect((await ask({ order: over(target.port, alice) })).failure).toMatchObject({
      code: "tls_protocol_error",
      detail: expect.stringMatching(/insufficient security$/),
    });
  });

  test("after the handshake, where TLS 1.3 has it", () => {
    const error = Object.assign(new Error("SSL"), { code: "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", reason: "unknown ca" });
    const client = { file: "/client.pem", subject: "alice", issuer: "Test root" };
    expect(describeNoResponse(error, { received: 0, isUpgrade: true, client })).toMatchObject({
      code: "tls_protocol_error",
      detail: `the target refuses the client certificate "alice" of /client.pem: it doesn't know its issuer "Test root"`,
    });
    expect(describeNoResponse(error, { received: 0, isUpgrade: false })).toEqual({
      code: "tls_protocol_error",
      detail: "unknown ca",
    });
  });

  test("a reset in place of an alert is connection_terminated", async () => {
    await using target = await startTcpServer(reset);
    expect((await ask({ order: over(target.port, alice) })).failure).toEqual({
      code: "connection_terminated",
      detail: "the target closed the connection before it answered",
      hint: `If it checks client certificates, it may have refused "alice" of ${alice.cert}. Look into its log.`,
    });
    expect((await ask({ order: over(target.port) })).failure).toMatchObject({
      code: "connection_terminated",
      detail: expect.stringContaining("ECONNRESET"),
    });
  });
});

describe("a target that hangs up in the handshake, after it has asked for a certificate", () => {
  test.each<[how: string, hangUp: (socket: net.Socket) => void, words: RegExp]>([
    ["an end", (socket) => void socket.end(), /^It asked for a client certificate and got none\. Give the record /],
    ["a reset", (socket) => void socket.resetAndDestroy(), /ECONNRESET/],
  ])("%s", async (_, hangUp, words) => {
    await using origin = await startMutual({ maxVersion: "TLSv1.2" });
    // Passes on the client's first flight and the answer to it, and nothing after that.
    await using cutting = await startTcpServer((socket) => {
      const behind = net.connect(origin.port, "127.0.0.1");
      behind.on("error", () => socket.destroy());
      behind.on("data", (chunk) => socket.write(chunk));
      socket.once("data", (hello) => {
        behind.write(hello);
        socket.once("data", () => {
          hangUp(socket);
          behind.destroy();
        });
      });
    });
    expect((await ask({ order: over(cutting.port, alice) })).failure).toEqual({
      code: "connection_terminated",
      detail: "the target closed the connection before it answered",
      hint: expect.stringMatching(/^If it checks client certificates, it may have refused "alice" of /),
    });
    const { code, detail, hint = detail } = (await ask({ order: over(cutting.port) })).failure ?? {};
    expect(code).toBe("connection_terminated");
    expect(hint).toMatch(words);
  });
});

describe("files that an edit broke", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const encrypted = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" });
  const sec1 = privateKey.export({ type: "sec1", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" });
  const broken: [title: string, part: keyof Client, text: string | undefined, words: RegExp, hint: RegExp][] = [
    ["no certificate file", "cert", undefined, /the client certificate .*\.pem does not exist$/, /^Its full path is/],
    ["no certificate", "cert", "nothing", /contains no certificate in PEM form$/, /BEGIN CERTIFICATE/],
    ["no key file", "key", undefined, /the private key .*\.key does not exist$/, /^Its full path is/],
    ["no key", "key", server.cert, /contains no private key in PEM form$/, /BEGIN PRIVATE KEY/],
    ["another's key", "key", server.key, /is not the key of the certificate "dave" in .*\.pem$/, /issued for/],
    ["an encrypted key", "key", encrypted.toString(), /is encrypted, and there is no way/, /openssl pkey -in .*\.key/],
    ["an encrypted key of an older form", "key", sec1.toString(), /is encrypted/, /openssl pkey/],
    ["half a key", "key", server.key.replace(/^M.*$/m, "MIIB"), /contains a private key that can't be read/, /BEGIN/],
  ];

  test.each(broken)("%s, from the start", async (title, part, text, words, hint) => {
    await using origin = await startMutual();
    const client = await save(title, root.issue("dave"));
    await (text === undefined ? rm(client[part]) : writeFile(client[part], text));
    expect((await ask({ order: over(origin.port, client) })).failure).toEqual({
      code: "tls_certificate_error",
      detail: expect.stringMatching(words),
      hint: expect.stringMatching(hint),
    });
  });

  test.each(broken)(
    "%s: what was there before stays in force until all of it fits again",
    async (title, part, text, words) => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
      await using origin = await startMutual();
      const client = await save(`later ${title}`, root.issue("dave"));
      const body = async (): Promise<string> => (await ask({ order: over(origin.port, client) })).body;
      expect(await body()).toBe("dave");
      await (text === undefined ? rm(client[part]) : writeFile(client[part], text));
      await expect.poll(async () => [await body(), warn.mock.calls.length]).toEqual(["dave", 1]);
      expect(warn.mock.calls[0]?.[0]).toMatch(
        new RegExp(`${words.source.replace(/\$$/, "")}.*; what it held before stays in force\\.$`),
      );
      await save(`later ${title}`, root.issue("erin"));
      await expect.poll(body).toBe("erin");
    },
  );
});
