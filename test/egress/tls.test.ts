import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import type http from "node:http";
import type net from "node:net";
import os from "node:os";
import path from "node:path";
import type tls from "node:tls";

import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";

import { describeHostMismatch } from "../../plugin/egress/tls/tls-failure.ts";
import { ORIGIN_CA_ROOTS } from "../../plugin/egress/tls/origin-ca.ts";
import type { EgressFailure, EgressOrder, EgressTls } from "../../service-worker/routing/egress-protocol.ts";
import { ok } from "../servers/http-origin.ts";
import { closedPort, echo, reset, startDeafServer, startTcpServer } from "../servers/tcp-server.ts";
import { type Certified, makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { ask, openRaw, openRequest, orderLines, readAnswer } from "./ask.ts";
import { socketIn } from "../servers/socket-path.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "mvpc-tls-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  // This machine may have mkcert's root.
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
});

const HOST = "users.internal";
const root = makeAuthority("Test root");
const ca = path.join(folder, "root.pem");
await writeFile(ca, root.cert);

const DAY = 24 * 60 * 60 * 1000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY);

function over(port: number, tls: Partial<EgressTls> = {}, connectTimeout = 5000): EgressOrder {
  return {
    op: "http",
    target: { type: "address", host: "127.0.0.1", port },
    limits: { connectTimeout, dnsTimeout: 5000 },
    tls: { hostName: HOST, verify: "verify_full", ca: [ca], ...tls },
  };
}

const NOT_TLS = { code: "tls_protocol_error", detail: "the target's answer isn't TLS" } as const;
const HUNG_UP = {
  code: "tls_protocol_error",
  detail: "the target closed the connection during the TLS handshake",
} as const;

const good = root.issue(HOST, { names: [HOST, "10.0.1.50", "fd00::1"] });

describe("certificates", () => {
  const stranger = makeAuthority("Stranger");
  const intermediate = makeAuthority("Intermediate", { by: root });
  const byIntermediate = intermediate.issue(HOST, { names: [HOST] });
  const certificates = {
    good,
    "with its intermediate": { ...byIntermediate, cert: byIntermediate.cert + intermediate.cert },
    "without its intermediate": byIntermediate,
    "for another host": root.issue("other.internal", { names: ["other.internal", "10.9.9.9"] }),
    expired: root.issue(HOST, { names: [HOST], notBefore: ago(3), notAfter: ago(1) }),
    "not valid yet": root.issue(HOST, { names: [HOST], notBefore: ago(-1), notAfter: ago(-2) }),
    "self-signed": selfSign(HOST, { names: [HOST] }),
    "of an unknown CA": stranger.issue(HOST, { names: [HOST] }),
    "of an unknown CA that is sent along": chain(stranger.issue(HOST, { names: [HOST] }), stranger),
  } satisfies Record<string, Certified>;

  const full: Record<keyof typeof certificates, RegExp | undefined> = {
    good: undefined,
    "with its intermediate": undefined,
    "without its intermediate": /issued by "Intermediate", and no trusted root vouches for it/,
    "for another host": /is for other\.internal, 10\.9\.9\.9, not for users\.internal/,
    expired: /expired on \w{3} /,
    "not valid yet": /isn't valid before \w{3} /,
    "self-signed": /is self-signed/,
    "of an unknown CA": /issued by "Stranger"/,
    "of an unknown CA that is sent along": /issued by "Stranger"/,
  };
  const isAccepted = (title: string, verify: EgressTls["verify"]): boolean =>
    full[title as keyof typeof full] === undefined ||
    verify === "disabled" ||
    (verify === "verify_ca" && title === "for another host");
  const cases = Object.entries(full).flatMap(([title, problem]) =>
    (["verify_full", "verify_ca", "disabled"] as const).map((verify) => ({
      title: title as keyof typeof certificates,
      verify,
      expected: isAccepted(title, verify)
        ? { body: "done", failure: undefined }
        : { body: "", failure: { code: "tls_certificate_error", detail: expect.stringMatching(problem ?? "") } },
    })),
  );

  test.each(cases)("$title, $verify", async ({ title, verify, expected }) => {
    await using origin = await startTlsOrigin({ ...certificates[title], answer: ok("done") });
    // Twice, because a refused TLS session must not be resumed.
    for (const _ of [1, 2]) expect(await ask({ order: over(origin.port, { verify }) })).toMatchObject(expected);
    expect(origin.requests.length).toBe(expected.body === "done" ? 2 : 0);
  });

  test.each([
    ["expired", /^Renew it, or write "tls_settings"/],
    ["for another host", /mkcert users\.internal.*verify_ca/],
    ["self-signed", /^Name its PEM file in "ca"/],
    ["of an unknown CA", /^Name the PEM file of its root in "ca"/],
    ["not valid yet", /clock/],
  ] as const)("the hint for one that is %s", async (title, hint) => {
    await using origin = await startTlsOrigin({ ...certificates[title], answer: ok("done") });
    expect((await ask({ order: over(origin.port) })).failure?.hint).toMatch(hint);
  });

  test.each<[string, string, string[], RegExp]>([
    ["nothing but a common name", HOST, [], /has only a common name, "users\.internal"; only/],
    [
      "a wildcard right below the top level",
      "tls.internal",
      ["*.internal"],
      /is for \*\.internal; a wildcard right below/,
    ],
    ["another wildcard", "a.b.internal", ["*.internal"], /is for \*\.internal, not for a\.b\.internal/],
  ])("verify_full refuses %s with a message; verify_ca accepts it", async (_, hostName, names, words) => {
    await using origin = await startTlsOrigin({ ...root.issue(hostName, { names }), answer: ok("done") });
    expect((await ask({ order: over(origin.port, { hostName }) })).failure).toMatchObject({
      code: "tls_certificate_error",
      detail: expect.stringMatching(words),
    });
    expect(await ask({ order: over(origin.port, { hostName, verify: "verify_ca" }) })).toMatchObject({ body: "done" });
  });

  test("an address as a DNS name does not match, and the message says so", () => {
    const certificate = { subjectaltname: "DNS:10.0.1.50, DNS:a", subject: {} } as tls.PeerCertificate;
    expect(describeHostMismatch("10.0.1.50", certificate).detail).toBe(
      "the target's certificate has 10.0.1.50 as a DNS name; an address counts only as an IP address",
    );
  });

  test.each(["10.0.1.50", "fd00::1"])("for the address %s, which is not sent as the server name", async (hostName) => {
    await using origin = await startTlsOrigin({ ...good, answer: ok("done") });
    expect((await ask({ order: over(origin.port, { hostName }) })).body).toBe("done");
    expect(origin.handshakes).toEqual([{ serverName: null, alpn: "http/1.1", isResumed: false }]);
    expect((await ask({ order: over(origin.port, { hostName: "10.0.1.51" }) })).failure).toMatchObject({
      code: "tls_certificate_error",
      detail: expect.stringContaining("not for 10.0.1.51"),
    });
  });

  test("one that was accepted for a host is checked again for another host", async () => {
    await using origin = await startTlsOrigin({ ...good, answer: ok("done") });
    expect((await ask({ order: over(origin.port) })).body).toBe("done");
    const { failure } = await ask({ order: over(origin.port, { hostName: "other.internal" }) });
    expect(failure?.code).toBe("tls_certificate_error");
    expect(origin.accepted).toBe(2);
  });
});

describe("trusted roots", () => {
  test("the Cloudflare Origin CA's roots are those that Cloudflare publishes", () => {
    const { ecc, rsa } = ORIGIN_CA_ROOTS;
    expect(new X509Certificate(ecc).fingerprint256).toBe(
      "AA:63:69:7A:22:76:4B:67:B2:13:4C:E1:4C:B5:69:0E:A3:36:94:0B:93:98:61:13:F4:95:45:91:78:32:D8:0D",
    );
    expect(new X509Certificate(rsa).fingerprint256).toBe(
      "D3:C7:E8:5C:91:70:7F:C0:A1:2A:BC:5D:88:26:67:47:AA:4F:A8:E7:B1:62:F6:33:FF:B3:C9:D9:89:94:76:20",
    );
  });

  test.each<[string, (file: string) => Promise<unknown>, RegExp]>([
    ["junk", (file) => writeFile(file, "junk"), /contains no certificate in PEM form/],
    ["a folder", (file) => mkdir(file), /is not a file/],
    // It fails as a file does that this user may not read.
    ["unreadable", (file) => symlink(file, file), /can't be read: ELOOP/],
  ])("mkcert's root is optional: one that is %s is ignored with one warning", async (what, make, words) => {
    const home = path.join(folder, `mkcert ${what}`);
    await mkdir(home);
    await make(path.join(home, "rootCA.pem"));
    process.env["CAROOT"] = home;
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await using origin = await startTlsOrigin({ ...good, answer: ok("done") });
    // Each list of files is read again, unless that was done a moment ago, but the warning appears once.
    await vi.waitFor(async () => {
      for (const list of [[ca], [ca, ca]]) {
        expect(await ask({ order: over(origin.port, { ca: list }) })).toMatchObject({
          body: "done",
          failure: undefined,
        });
      }
      expect(warn.mock.calls).toEqual([[expect.stringMatching(words)]]);
    });
    warn.mockRestore();
  });

  test("a named file that can't be read is reported as tls_certificate_error", async () => {
    const loop = path.join(folder, "loop.pem");
    await symlink(loop, loop);
    await using origin = await startTlsOrigin({ ...good, answer: ok("done") });
    expect((await ask({ order: over(origin.port, { ca: [loop] }) })).failure).toMatchObject({
      code: "tls_certificate_error",
      detail: expect.stringContaining("loop.pem can't be read: ELOOP"),
    });
  });

  test("mkcert's root is found, even if it is created later", async () => {
    const mkcert = makeAuthority("mkcert root");
    await using origin = await startTlsOrigin({ ...mkcert.issue(HOST, { names: [HOST] }), answer: ok("done") });
    process.env["CAROOT"] = folder;
    expect((await ask({ order: over(origin.port, { ca: [] }) })).failure?.code).toBe("tls_certificate_error");
    await writeFile(path.join(folder, "rootCA.pem"), mkcert.cert);
    await vi.waitFor(async () => expect((await ask({ order: over(origin.port, { ca: [] }) })).body).toBe("done"));
  });

  test("a file can have several roots, only an intermediate, or the target's own certificate", async () => {
    const other = makeAuthority("Other");
    const intermediate = makeAuthority("Intermediate", { by: other });
    const leaf = intermediate.issue(HOST, { names: [HOST] });
    for (const text of [root.cert + other.cert + intermediate.cert, intermediate.cert, leaf.cert]) {
      await using origin = await startTlsOrigin({ ...leaf, answer: ok("done") });
      const file = path.join(folder, "several.pem");
      await writeFile(file, text);
      expect((await ask({ order: over(origin.port, { ca: [file] }) })).body).toBe("done");
    }
  });

  test("a changed file applies to the next request, even on kept connections and TLS sessions", async () => {
    const file = path.join(folder, "changing.pem");
    await writeFile(file, makeAuthority("Wrong").cert);
    await using origin = await startTlsOrigin({ ...good, answer: ok("done") });
    const order = over(origin.port, { ca: [file] });
    expect((await ask({ order })).failure?.code).toBe("tls_certificate_error");
    await writeFile(file, `# the right one\n${root.cert}`);
    await vi.waitFor(async () => expect((await ask({ order })).body).toBe("done"));
    await writeFile(file, makeAuthority("Wrong again").cert);
    await vi.waitFor(async () => expect((await ask({ order })).failure?.code).toBe("tls_certificate_error"));
  });

  test.each([
    ["that doesn't exist", undefined, /gone\.pem does not exist/],
    ["without a certificate", "nothing", /gone\.pem contains no certificate in PEM form/],
    ["with a broken one", root.cert.replace(/^M.*$/m, "MIIB"), /gone\.pem contains a certificate that can't be read: /],
  ])("the message names a file %s", async (_, text, problem) => {
    const file = path.join(folder, "gone.pem");
    await (text === undefined ? rm(file, { force: true }) : writeFile(file, text));
    await using origin = await startTlsOrigin({ ...good, answer: ok("done") });
    const { failure } = await ask({ order: over(origin.port, { ca: [file] }) });
    expect(failure?.code).toBe("tls_certificate_error");
    expect(failure?.detail).toMatch(problem);
    expect(failure?.hint).toContain('"ca"');
    // Without verification, the file isn't read.
    expect((await ask({ order: over(origin.port, { ca: [file], verify: "disabled" }) })).body).toBe("done");
  });
});

describe("connections", () => {
  test("a second request needs no handshake; the server name and the Host header are the URL's", async () => {
    await using origin = await startTlsOrigin({ ...good, answer: ok("done") });
    for (const _ of [1, 2, 3])
      expect((await ask({ order: over(origin.port), headers: { host: HOST } })).body).toBe("done");
    expect(origin.handshakes).toEqual([{ serverName: HOST, alpn: "http/1.1", isResumed: false }]);
    expect(origin.requests.map((request) => /^host: .*$/im.exec(request)?.[0])).toEqual(Array(3).fill(`host: ${HOST}`));
  });

  test.each(["TLSv1.3", "TLSv1.2"] as const)("a new connection resumes the TLS session: %s", async (maxVersion) => {
    await using origin = await startTlsOrigin({ ...good, maxVersion, answer: ok("done") });
    for (const _ of [1, 2, 3]) {
      expect((await ask({ order: over(origin.port) })).body).toBe("done");
      for (const socket of origin.open) socket.destroy();
      await expect.poll(() => origin.open.size).toBe(0);
    }
    expect(origin.handshakes.map(({ isResumed }) => isResumed)).toEqual([false, true, true]);
  });

  test("no request is lost on a kept connection that the target has closed", async () => {
    let isClosing = true;
    await using origin = await startTlsOrigin({
      ...good,
      answer: (_, socket) => {
        if (isClosing) setImmediate(() => socket.destroy());
        isClosing = false;
        return ok("done");
      },
    });
    for (const _ of [1, 2]) expect((await ask({ order: over(origin.port) })).body).toBe("done");
  });

  test("a target that was restarted", async () => {
    const first = await startTlsOrigin({ ...good, answer: ok("first") });
    const { port } = first;
    expect((await ask({ order: over(port) })).body).toBe("first");
    await first[Symbol.asyncDispose]();
    expect((await ask({ order: over(port) })).failure?.code).toBe("connection_refused");
    await using second = await startTlsOrigin({ ...good, port, answer: ok("second") });
    expect((await ask({ order: over(port) })).body).toBe("second");
    expect(second.handshakes.length).toBe(1);
  });

  test("a unix socket", async () => {
    const socketPath = socketIn(folder, "origin.sock");
    await using origin = await startTlsOrigin({ ...good, path: socketPath, answer: ok("done") });
    const order = { ...over(0), target: { type: "unix", path: socketPath } } as const;
    for (const _ of [1, 2]) expect((await ask({ order })).body).toBe("done");
    expect(origin.handshakes.length).toBe(1);
  });
});

describe("forwarding", () => {
  test("streams both ways at once", async () => {
    // Echoes the body of the chunked request as the body of a chunked response.
    await using origin = await startTlsOrigin({
      ...good,
      serve: (socket) =>
        socket.once("data", (head) => {
          socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
          socket.write(head.subarray(head.indexOf("\r\n\r\n") + 4));
          socket.pipe(socket);
        }),
    });
    await using connection = await openRaw();
    const lines = await orderLines(over(origin.port));
    connection.socket.write(`POST / HTTP/1.1\r\n${lines}Host: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const part of ["one", "two", "six"]) {
      connection.socket.write(`3\r\n${part}\r\n`);
      await expect.poll(() => connection.received, { interval: 5 }).toContain(part);
    }
    connection.socket.write("0\r\n\r\n");
    await expect.poll(() => connection.received.endsWith("0\r\n\r\n"), { interval: 5 }).toBe(true);
  });

  test("an upgraded connection, until one side ends", async () => {
    await using origin = await startTlsOrigin({
      ...good,
      serve: (socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
          socket.pipe(socket);
        }),
    });
    await using connection = await openRaw();
    const lines = await orderLines(over(origin.port));
    connection.socket.write(`GET / HTTP/1.1\r\n${lines}Host: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
    await expect.poll(() => connection.received, { interval: 5 }).toContain("101 ");
    connection.socket.write("ping");
    await expect.poll(() => connection.received, { interval: 5 }).toMatch(/ping$/);
    connection.socket.end();
    await expect.poll(() => connection.isEnded, { interval: 5 }).toBe(true);
  });

  test("an early 413 that closes the connection is forwarded during an upload", async () => {
    await using origin = await startTlsOrigin({
      ...good,
      serve: (socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
          // This is a reset, because the upload is unread.
          socket.destroySoon();
        }),
    });
    for (let round = 0; round < 20; round++) {
      const request = await openRequest({ order: over(origin.port), method: "POST" });
      const upload = setInterval(() => request.write(Buffer.alloc(256 * 1024)), 0);
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      expect(await readAnswer(response)).toMatchObject({ status: 413, body: "big", failure: undefined });
      clearInterval(upload);
      request.on("error", () => request.destroy()).destroy();
    }
  });
});

describe("no handshake", () => {
  test.each<[title: string, serve: (socket: net.Socket) => void, failure: Partial<EgressFailure>]>([
    ["plain HTTP", (socket) => void socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")), NOT_TLS],
    [
      "a database's greeting",
      (socket) => void socket.write("220 hello, who are you and what do you want?\r\n"),
      NOT_TLS,
    ],
    ["an end", (socket) => void socket.once("data", () => socket.end()), HUNG_UP],
    ["an echo", echo, { code: "tls_protocol_error" }],
    ["a reset", reset, { code: "connection_terminated" }],
  ])("%s", async (_, serve, failure) => {
    await using server = await startTcpServer(serve);
    expect((await ask({ order: over(server.port) })).failure).toMatchObject(failure);
  });

  test("a target that accepts and stays silent times out, and its connection is closed", async () => {
    await using server = await startTcpServer();
    expect((await ask({ order: over(server.port, {}, 150) })).failure).toEqual({
      code: "connection_timeout",
      detail: `no TLS handshake with 127.0.0.1 port ${server.port} within 150 ms`,
    });
    await expect.poll(() => server.open.size).toBe(0);
  });

  test("a target that does not accept", async () => {
    await using server = await startDeafServer();
    expect((await ask({ order: over(server.port, {}, 150) })).failure?.code).toBe("connection_timeout");
    expect((await ask({ order: over(await closedPort()) })).failure?.code).toBe("connection_refused");
  });

  test.each<[title: string, options: tls.TlsOptions, problem: RegExp]>([
    [
      "TLS 1.0 only",
      { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" },
      /no TLS version in common/,
    ],
    ["HTTP/2 only", { ALPNProtocols: ["h2"] }, /does not speak HTTP\/1\.1/],
    ["a required client certificate, TLS 1.3", { requestCert: true, ca: root.cert }, /requires a client certificate/],
    [
      "a required client certificate, TLS 1.2",
      { requestCert: true, ca: root.cert, maxVersion: "TLSv1.2" },
      /requires a client certificate/,
    ],
    ["no cipher in common", { ciphers: "ECDHE-RSA-AES128-GCM-SHA256", maxVersion: "TLSv1.2" }, /handshake failure$/],
  ])("%s", async (_, options, problem) => {
    await using origin = await startTlsOrigin({ ...good, answer: ok("done"), ...options });
    const { failure } = await ask({ order: over(origin.port) });
    expect(failure).toMatchObject({ code: "tls_protocol_error", detail: expect.stringMatching(problem) });
    expect(origin.requests).toEqual([]);
  });

  test("the next request to a fixed target succeeds", async () => {
    const port = await closedPort();
    {
      await using plain = await startTcpServer((socket) => void socket.once("data", () => socket.end("no")), { port });
      expect((await ask({ order: over(plain.port) })).failure?.code).toBe("tls_protocol_error");
    }
    await using origin = await startTlsOrigin({ ...good, port, answer: ok("done") });
    expect((await ask({ order: over(origin.port) })).body).toBe("done");
  });
});

function chain(certified: Certified, authority: Certified): Certified {
  return { ...certified, cert: certified.cert + authority.cert };
}
