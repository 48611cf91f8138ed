/** Causes of failures before the target has received a request: connection, DNS, TLS. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type net from "node:net";
import os from "node:os";
import path from "node:path";
import type tls from "node:tls";
import { type DnsAnswer, startDnsServer } from "../servers/dns-server.ts";
import { closedPort, reset, startDeafServer, startTcpServer } from "../servers/tcp-server.ts";
import { type Certified, type CertificateOptions, makeAuthority, selfSign } from "../servers/tls-certificates.ts";
import { startTlsOrigin } from "../servers/tls-server.ts";
import { type Cause, type Causes, SERVICE, byConnect, directly, overTls, throughEgress } from "./cause.ts";
import { socketIn } from "../servers/socket-path.ts";

const NOWHERE = socketIn("/nowhere", "app.sock");

export const REFUSED: Causes = {
  "nobody listens, direct path": async () =>
    directly(await closedPort(), "refused the connection: connect ECONNREFUSED"),
  "nobody listens, egress proxy": async () => throughEgress(await closedPort(), "connect ECONNREFUSED 127.0.0.1"),
  "nobody listens, POST": async () => directly(await closedPort(), "Start the service", { op: "post" }),
  "nobody listens, TLS": async () => overTls(await closedPort(), "connect ECONNREFUSED"),
  "nobody listens, connect()": async () => byConnect(await closedPort(), "connect ECONNREFUSED"),
  "no Unix socket": () => directly(0, NOWHERE, { routes: { "a.internal": `unix:${NOWHERE}` } }),
};

/** How a target ends a connection after it received a request. */
const ENDS: [how: string, end: (socket: net.Socket) => void][] = [
  ["closed without an answer", (socket) => socket.end()],
  ["reset", (socket) => socket.resetAndDestroy()],
];

const TERMINATED_PLAIN: Causes = Object.fromEntries(
  ENDS.flatMap(([how, end]) => {
    const start = async (stack: AsyncDisposableStack): Promise<number> => {
      const server = await startTcpServer((socket) => void socket.once("data", () => end(socket)));
      return stack.use(server).port;
    };
    const says = "closed the connection before it answered";
    return Object.entries({
      [`${how}, direct path`]: async (stack) => directly(await start(stack), says),
      [`${how}, POST`]: async (stack) => directly(await start(stack), says, { op: "post" }),
      [`${how}, egress proxy`]: async (stack) => throughEgress(await start(stack), says),
      [`${how}, POST through the egress proxy`]: async (stack) =>
        throughEgress(await start(stack), says, { op: "post" }),
    } satisfies Causes);
  }),
);

const SOON = { connectTimeout: 400 };

async function startDeaf(stack: AsyncDisposableStack): Promise<number> {
  return stack.use(await startDeafServer()).port;
}

/** The same cause with its limit in the route. */
function ownLimit(cause: Cause): Cause {
  const routes = Object.entries(cause.routes ?? {}).map(([text, target]) => [text, { target, ...SOON }]);
  return { ...cause, routes: Object.fromEntries(routes), config: { connectTimeout: 100_000 } };
}

export const TIMED_OUT: Causes = {
  "full backlog, direct path": async (stack) =>
    directly(await startDeaf(stack), "no connection within 400 ms", { config: SOON }),
  "full backlog, egress proxy": async (stack) =>
    throughEgress(await startDeaf(stack), "within 400 ms", { config: SOON }),
  "full backlog, connect()": async (stack) => byConnect(await startDeaf(stack), "within 400 ms", { config: SOON }),
  "accepts, but never answers the handshake, TLS": async (stack) =>
    overTls(stack.use(await startTcpServer()).port, "no TLS handshake", { config: SOON }),
  "the limit in the route, direct path": async (stack) => ownLimit(directly(await startDeaf(stack), "within 400 ms")),
  "the limit in the route, connect()": async (stack) => ownLimit(byConnect(await startDeaf(stack), "within 400 ms")),
  "the limit in the route, TLS": async (stack) =>
    ownLimit(overTls(stack.use(await startTcpServer()).port, "no TLS handshake")),
};

export const LIMITED: Causes = {
  "two connections are open, connect()": async (stack) =>
    byConnect(stack.use(await startTcpServer()).port, '"connectionLimit"', {
      op: "connectThrice",
      config: { connectionLimit: 2 },
    }),
  "two requests are in flight": async (stack) =>
    directly(stack.use(await startTcpServer()).port, '"connectionLimit"', {
      op: "fetchThrice",
      config: { connectionLimit: 2 },
    }),
  "two requests are in flight, with the limit in the network's entry, over TLS": async (stack) => {
    const origin = stack.use(await startTlsOrigin(selfSign("dev box")));
    return overTls(origin.port, '"connectionLimit"', {
      op: "fetchThrice",
      network: { connectionLimit: 2, tls_settings: { cert_verification_mode: "disabled" } },
    });
  },
};

/** A name that passes through, with the network's name server. */
async function named(
  stack: AsyncDisposableStack,
  answer: DnsAnswer,
  more: Partial<Cause> & Pick<Cause, "says">,
): Promise<Cause> {
  const server = stack.use(await startDnsServer(answer));
  return {
    op: "fetch",
    argument: "http://api.corp.example/",
    routes: { "*.corp.example": "passthrough" },
    network: { resolver_ips: [server.address] },
    ...more,
  };
}

export const DNS_ERROR: Causes = {
  NXDOMAIN: (stack) => named(stack, "NXDOMAIN", { says: /api\.corp\.example.* does not exist/ }),
  "NXDOMAIN, connect()": (stack) =>
    named(stack, "NXDOMAIN", { says: "does not exist", op: "connect", argument: "api.corp.example:5432" }),
  "NXDOMAIN, TLS": (stack) =>
    named(stack, "NXDOMAIN", { says: "does not exist", argument: "https://api.corp.example/" }),
  SERVFAIL: (stack) => named(stack, "SERVFAIL", { says: "SERVFAIL" }),
  REFUSED: (stack) => named(stack, "REFUSED", { says: "REFUSED" }),
  "no address": (stack) => named(stack, {}, { says: "no address" }),
  "this machine does not know the target's name": () =>
    directly(1, "no-such-host.invalid", { routes: { "a.internal": "no-such-host.invalid:80" } }),
};

export const DNS_TIMED_OUT: Causes = {
  "the name server is silent": (stack) =>
    named(stack, "silent", { says: "within 300 ms", config: { dnsTimeout: 300 } }),
  "the name server is silent, connect()": (stack) =>
    named(stack, "silent", {
      says: "within 300 ms",
      op: "connect",
      argument: "api.corp.example:5432",
      config: { dnsTimeout: 300 },
    }),
};

const root = makeAuthority("A root nobody trusts");

async function startTls(stack: AsyncDisposableStack, options: tls.TlsOptions): Promise<number> {
  return stack.use(await startTlsOrigin({ ...root.issue("a", { names: ["a.internal"] }), ...options })).port;
}

const CLIENT_ID = "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f";

/** A VPC Service whose record has this client certificate. */
async function presenting(
  stack: AsyncDisposableStack,
  { cert, key }: Certified,
  { port, says }: { port: number; says: string },
): Promise<Cause> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "vpc-causes-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "client.pem");
  await writeFile(file, cert + key);
  const target = `https://127.0.0.1:${port}`;
  const settings = { cert_verification_mode: "disabled", client_certificate: CLIENT_ID } as const;
  return {
    op: "service",
    argument: "https://a.internal/",
    config: {
      certificates: { [CLIENT_ID]: { cert: file, key: file } },
      services: { [SERVICE]: { target, tls_settings: settings } },
    },
    says,
  };
}

const MUTUAL: tls.TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: root.cert };
/** RFC 8446 §6.2: certificate_expired. */
const EXPIRED_ALERT = Buffer.from([0x15, 3, 3, 0, 2, 2, 45]);

export const TERMINATED: Causes = {
  ...TERMINATED_PLAIN,
  "reset in the handshake, TLS": async (stack) => overTls(stack.use(await startTcpServer(reset)).port, "ECONNRESET"),
  "reset in the handshake, with a client certificate": async (stack) =>
    presenting(stack, root.issue("app"), {
      port: stack.use(await startTcpServer(reset)).port,
      says: 'it may have refused "app" of',
    }),
  "a client certificate of another issuer, and a server that sends no alert": async (stack) =>
    presenting(stack, makeAuthority("Stranger").issue("mallory"), {
      port: await startTls(stack, MUTUAL),
      says: 'it may have refused "mallory" of',
    }),
};

const WEAK: tls.TlsOptions = { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" };

export const TLS_PROTOCOL: Causes = {
  "TLS 1.0 only": async (stack) => overTls(await startTls(stack, WEAK), "no TLS version in common"),
  "a plaintext port": async (stack) => {
    const server = await startTcpServer(
      (socket) => void socket.once("data", () => socket.end("HTTP/1.1 400 Bad\r\n\r\n")),
    );
    return overTls(stack.use(server).port, "the target's answer isn't TLS");
  },
  "closed in the handshake": async (stack) => {
    const server = await startTcpServer((socket) => void socket.once("data", () => socket.end()));
    return overTls(stack.use(server).port, "closed the connection during the TLS handshake");
  },
  "a client certificate is required, TLS 1.3": async (stack) =>
    overTls(await startTls(stack, MUTUAL), "requires a client certificate", {
      network: { tls_settings: { cert_verification_mode: "disabled" } },
    }),
  "a client certificate is required, TLS 1.2": async (stack) =>
    overTls(await startTls(stack, { ...MUTUAL, maxVersion: "TLSv1.2" }), "requires a client certificate", {
      network: { tls_settings: { cert_verification_mode: "disabled" } },
    }),
  "the client certificate is refused with an alert": async (stack) => {
    const server = await startTcpServer((socket) => void socket.once("data", () => socket.end(EXPIRED_ALERT)));
    return presenting(stack, root.issue("app"), {
      port: stack.use(server).port,
      says: "client.pem: it has expired, or isn't valid yet (",
    });
  },
};

const YESTERDAY = new Date(Date.now() - 24 * 60 * 60 * 1000);
const TOMORROW = new Date(Date.now() + 24 * 60 * 60 * 1000);
const AFTER = new Date(TOMORROW.getTime() + 1000);
const BEFORE = new Date(YESTERDAY.getTime() - 1000);

/** The config trusts the root, so only the certificate itself is wrong. */
async function startTrusted(stack: AsyncDisposableStack, signed: CertificateOptions, says: string): Promise<Cause> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "vpc-causes-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const ca = path.join(folder, "root.pem");
  await writeFile(ca, root.cert);
  return overTls(await startTls(stack, root.issue("a", signed)), says, { config: { ca: [ca] } });
}

export const TLS_CERTIFICATE: Causes = {
  "unknown root": async (stack) => overTls(await startTls(stack, {}), 'was issued by "A root nobody trusts"'),
  "self-signed": async (stack) =>
    overTls(await startTls(stack, selfSign("a", { names: ["a.internal"] })), "is self-signed"),
  expired: (stack) =>
    startTrusted(stack, { names: ["a.internal"], notBefore: BEFORE, notAfter: YESTERDAY }, "expired on"),
  "not valid yet": (stack) =>
    startTrusted(stack, { names: ["a.internal"], notBefore: TOMORROW, notAfter: AFTER }, "isn't valid before"),
  "for another host": (stack) =>
    startTrusted(stack, { names: ["b.internal"] }, "is for b.internal, not for a.internal"),
};
