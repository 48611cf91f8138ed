/**
 * Opens a TLS connection to a target and checks its certificate. Nothing is handed out, and no session
 * kept, before the check.
 */

import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";

import type { EgressLimits, EgressTls } from "../../service-worker/egress-protocol.ts";
import { hasCode } from "../error.ts";
import { type DialTarget, dial, timeoutError } from "./dial.ts";
import { EgressError } from "./failure.ts";
import { describeChainProblem, describeHangUp, describeHostMismatch } from "./tls-failure.ts";
import { type Trust, trustOf, withoutTrust } from "./trust.ts";

/** How to speak TLS with one target under one name; made anew for each request. */
export interface TlsTerms {
  tls: EgressTls;
  trust: Trust;
  /** Connections and sessions with the same key are interchangeable. */
  key: string;
}

/** @throws {EgressError} `tls_certificate_error` if a `ca` file can't be used */
export function termsFor(target: DialTarget, tlsOrder: EgressTls): TlsTerms {
  const { hostName, verify, ca } = tlsOrder;
  const trust = verify === "disabled" ? withoutTrust() : trustOf(ca);
  return { tls: tlsOrder, trust, key: JSON.stringify([target, hostName, verify, trust.key]) };
}

export interface TlsDialOptions {
  terms: TlsTerms;
  /** `connectTimeout` is for the connection and the handshake together, once the name is resolved. */
  limits: EgressLimits;
  /** Gives the attempt up. */
  signal?: AbortSignal;
}

/** @throws an error for `classify` */
export async function dialTls(target: DialTarget, { terms, limits, signal }: TlsDialOptions): Promise<tls.TLSSocket> {
  const plain = dial(target, { limits });
  const giveUp = (): void => void plain.destroy(new Error("the request was given up"));
  signal?.addEventListener("abort", giveUp);
  try {
    return await shakeHands(plain, target, { terms, limits });
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

async function shakeHands(
  plain: net.Socket,
  target: DialTarget,
  { terms, limits }: Omit<TlsDialOptions, "signal">,
): Promise<tls.TLSSocket> {
  let started = performance.now();
  plain.once("lookup", () => (started = performance.now()));
  await once(plain, "connect");
  const session = sessions.get(terms.key);
  const socket = tls.connect({
    socket: plain,
    // RFC 6066 §3: an address is no server name.
    servername: net.isIP(terms.tls.hostName) === 0 ? terms.tls.hostName : "",
    secureContext: terms.trust.context,
    ALPNProtocols: ["http/1.1"],
    // `checkCertificate` refuses instead, for it can say why.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(session && { session }),
  });
  // Node passes the plain socket's error on, and may have one of its own after that.
  socket.on("error", () => socket.destroy());
  let latest: Buffer | undefined;
  socket.on("session", (offered) => (latest = offered));
  const timeout = limits.connectTimeout;
  const timer = setTimeout(
    () => socket.destroy(timeoutError(target, { timeout, step: "handshake" })),
    timeout - (performance.now() - started),
  ).unref();
  try {
    await once(socket, "secureConnect");
    checkCertificate(socket, terms.tls);
  } catch (error) {
    socket.destroy();
    throw explain(error);
  } finally {
    clearTimeout(timer);
  }
  if (latest !== undefined) keepSession(terms.key, latest);
  socket.on("session", (offered) => keepSession(terms.key, offered));
  return socket;
}

/** @throws {EgressError} `tls_certificate_error` */
function checkCertificate(socket: tls.TLSSocket, { hostName, verify }: EgressTls): void {
  if (verify === "disabled") return;
  const certificate = socket.getPeerCertificate();
  const problem = socket.authorizationError;
  // OpenSSL's name for it, although it is declared as an Error.
  if (problem) throw new EgressError(describeChainProblem(String(problem), certificate));
  // A resumed session was checked when it was made, and carries no certificate.
  if (verify === "verify_ca" || socket.isSessionReused()) return;
  if (tls.checkServerIdentity(hostName, certificate) !== undefined) {
    throw new EgressError(describeHostMismatch(hostName, certificate));
  }
}

/** What `classify` could not tell: the target ended the connection in the middle of the handshake. */
function explain(error: unknown): unknown {
  // A reset, unlike an orderly end, is the system's and names its call.
  const isEnd = hasCode(error, "ECONNRESET") && error instanceof Error && !("syscall" in error);
  return isEnd ? new EgressError(describeHangUp()) : error;
}

/** Sessions to resume (RFC 8446 §2.2), the latest last. */
const sessions = new Map<string, Buffer>();
const MAX_SESSIONS = 100;

function keepSession(key: string, session: Buffer): void {
  sessions.delete(key);
  sessions.set(key, session);
  const [oldest] = sessions.keys();
  if (sessions.size > MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
}
