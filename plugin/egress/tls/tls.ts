/**
 * Opens a TLS connection to a target and checks its certificate. Returns no connection and keeps no TLS session
 * before the check.
 */

import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";

import type { EgressFailure, EgressLimits, EgressTls } from "../../../service-worker/routing/egress-protocol.ts";
import { keepNewest } from "../../../service-worker/routing/newest.ts";
import { hasCode } from "../../system/error.ts";
import { type DialTarget, type DialWatch, dial, timeoutError } from "../connections/dial.ts";
import { EgressError, classify } from "../egress-error.ts";
import { keepChain } from "./presented-chain.ts";
import {
  type Presented,
  describeChainProblem,
  describeHangUp,
  describeHostMismatch,
  describeProtocolError,
  describeReset,
  isOnlyCommon,
  isTlsError,
  lacksRoot,
  presentedBy,
} from "./tls-failure.ts";
import { type Trust, addSystemRoots, trustOf } from "./trust.ts";

/** How to speak TLS with one target under one name. Each request makes its own. */
export interface TlsTerms {
  tls: EgressTls;
  trust: Trust;
  /** Connections and TLS sessions with the same key are interchangeable. */
  key: string;
}

/** @throws {EgressError} `tls_certificate_error` if a file that the vpc config names can't be used */
export function termsFor(target: DialTarget, tlsOrder: EgressTls): TlsTerms {
  const { hostName, verify } = tlsOrder;
  const trust = trustOf(tlsOrder);
  return { tls: tlsOrder, trust, key: JSON.stringify([target, hostName, verify, trust.key]) };
}

export interface TlsDialOptions {
  terms: TlsTerms;
  /** `connectTimeout` covers the connection and the handshake together, after the name is resolved. */
  limits: EgressLimits;
  /** Cancels the attempt. */
  signal?: AbortSignal;
  /** Who watches sees the certificate, so no session is resumed. */
  watch?: DialWatch | undefined;
}

/**
 * Dials again with the system's own roots if no other root vouches for the target.
 *
 * @throws an error for `classify`
 */
export async function dialTls(target: DialTarget, options: TlsDialOptions): Promise<tls.TLSSocket> {
  try {
    return await dialOnce(target, options);
  } catch (error) {
    const { terms, signal } = options;
    if (!(error instanceof RootlessError) || !terms.trust.lacksSystemRoots) throw error;
    await addSystemRoots();
    signal?.throwIfAborted();
    return await dialOnce(target, { ...options, terms: termsFor(target, terms.tls) });
  }
}

async function dialOnce(target: DialTarget, { terms, limits, signal, watch }: TlsDialOptions): Promise<tls.TLSSocket> {
  const plain = dial(target, { limits, watch });
  const giveUp = (): void => void plain.destroy(new Error("the request was given up"));
  signal?.addEventListener("abort", giveUp);
  try {
    return await shakeHands(plain, target, { terms, limits, watch });
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

async function shakeHands(
  plain: net.Socket,
  target: DialTarget,
  { terms, limits, watch }: Omit<TlsDialOptions, "signal">,
): Promise<tls.TLSSocket> {
  let started = performance.now();
  plain.once("lookup", () => (started = performance.now()));
  await once(plain, "connect");
  const session = watch === undefined ? tlsSessions.get(terms.key) : undefined;
  const socket = tls.connect({
    socket: plain,
    // RFC 6066 §3: an address isn't a server name.
    servername: net.isIP(terms.tls.hostName) === 0 ? terms.tls.hostName : "",
    secureContext: terms.trust.context,
    ALPNProtocols: ["http/1.1"],
    // `checkCertificate` refuses instead, because it can say why.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(session && { session }),
  });
  let isAsked = false;
  const look = (): void => void (isAsked ||= isAskedForCertificate(socket));
  // Before Node's own listener, which closes the socket.
  socket.prependListener("end", look);
  socket.on("error", look);
  // Node passes on the plain socket's error, and may emit another one after it.
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
    if (terms.tls.verify === "verify_full" && !socket.isSessionReused()) keepChain(target, terms.tls.hostName, socket);
    watch?.secured(socket);
  } catch (error) {
    socket.destroy();
    throw explain(error, { presented: presentedBy(terms.trust.client, terms.tls), isAsked });
  } finally {
    clearTimeout(timer);
    socket.off("end", look).off("error", look);
  }
  if (latest !== undefined) keepTlsSession(terms.key, latest);
  socket.on("session", (offered) => keepTlsSession(terms.key, offered));
  return socket;
}

/** @throws {EgressError} `tls_certificate_error` */
function checkCertificate(socket: tls.TLSSocket, policy: EgressTls): void {
  const { hostName, verify } = policy;
  if (verify === "disabled") return;
  const certificate = socket.getPeerCertificate();
  const problem = socket.authorizationError;
  // It is OpenSSL's name of the problem, although it is declared as an Error.
  if (problem) {
    const failure = describeChainProblem(String(problem), certificate, policy);
    throw lacksRoot(String(problem)) ? new RootlessError(failure) : new EgressError(failure);
  }
  // A resumed TLS session carries no certificate. It was checked when it was made.
  if (verify === "verify_ca" || socket.isSessionReused()) return;
  // Node accepts a certificate's common name if it is the only name. A tunnel doesn't.
  if (isOnlyCommon(certificate) || tls.checkServerIdentity(hostName, certificate) !== undefined) {
    throw new EgressError(describeHostMismatch(hostName, certificate));
  }
}

/** Shakes hands and hangs up. @returns why that failed, or null */
export async function probeTls(
  target: DialTarget,
  { tls: order, limits }: { tls: EgressTls; limits: EgressLimits },
): Promise<EgressFailure | null> {
  try {
    (await dialTls(target, { terms: termsFor(target, order), limits })).destroy();
    return null;
  } catch (error) {
    return classify(error);
  }
}

/** No root vouches for the target's certificate. */
class RootlessError extends EgressError {}

/** Recognizes what `classify` can't: the target ended the connection during the handshake, or wants another client certificate. */
function explain(error: unknown, { presented, isAsked }: { presented: Presented; isAsked: boolean }): unknown {
  if (isTlsError(error)) return new EgressError(describeProtocolError(error, { ...presented, isAsked }));
  if (!hasCode(error, "ECONNRESET") || !(error instanceof Error)) return error;
  // A reset comes from the system and names its system call. A clean end doesn't.
  if (!("syscall" in error) && !isAsked) return new EgressError(describeHangUp());
  return presented.client === undefined && !isAsked ? error : new EgressError(describeReset(presented));
}

/** Whether the target has asked for a client certificate in this handshake: then it has named its signature algorithms (RFC 8446 §4.3.2). */
export function isAskedForCertificate(socket: tls.TLSSocket): boolean {
  // Null once the socket is closed, although its type doesn't say so.
  const algorithms: string[] | null = socket.getSharedSigalgs();
  return algorithms !== null && algorithms.length > 0;
}

/** TLS sessions to resume (RFC 8446 §2.2), newest last. */
const tlsSessions = new Map<string, Buffer>();
const MAX_TLS_SESSIONS = 100;

function keepTlsSession(key: string, session: Buffer): void {
  keepNewest(tlsSessions, key, { value: session, max: MAX_TLS_SESSIONS });
}
