/**
 * Dials targets and reports whether they accept the connection, with their certificate and status. Sends only a
 * TLS handshake and a `HEAD /`, and these only to targets that are known to speak TLS or HTTP.
 */

import { once } from "node:events";
import type net from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";

import type { EgressFailure } from "../../service-worker/routing/egress-protocol.ts";
import { formatTarget } from "../../service-worker/routing/forward-target.ts";
import type { ProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
import { NO_HANDSHAKE, dial } from "../egress/connections/dial.ts";
import { EgressError, classify } from "../egress/egress-error.ts";
import { type TlsTerms, dialTls, termsFor } from "../egress/tls/tls.ts";
import type { ListedTarget } from "./list-targets.ts";
import { type Question, askHead, waitForHangUp } from "./probe-answer.ts";

export interface Probed {
  /** As in a config, with the scheme if it is known. */
  target: string;
  origins: readonly string[];
  outcome: ProbeOutcome;
  certificate?: ProbedCertificate;
  /** Milliseconds until the connection was open, including TLS if the target speaks it, or until it failed. */
  time: number;
}

export type ProbeOutcome =
  /** `status` is the one of the answer to `HEAD /`. Absent: no request was sent. */
  | { state: "open"; status?: number }
  | { state: "refused" | "timed out" | "failed"; code: ProxyErrorCode; detail: string };

export interface ProbedCertificate {
  /** The common name, or else the alternative names. */
  subject: string;
  /** ISO 8601. */
  expires: string;
}

/** Targets dialled at the same time. With more, the system may refuse before a target does. */
const AT_ONCE = 64;

/** @param onProgress called with the number of targets that are done */
export async function probeTargets(
  targets: readonly ListedTarget[],
  onProgress: (done: number) => void,
): Promise<Probed[]> {
  const probed: Probed[] = [];
  const queue = targets.entries();
  let done = 0;
  const work = async (): Promise<void> => {
    for (const [position, target] of queue) {
      probed[position] = await probeTarget(target);
      onProgress(++done);
    }
  };
  // `dial` uses sockets that don't keep the process alive.
  const alive = setInterval(() => undefined, 1000);
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    clearInterval(alive);
  }
  return probed;
}

async function probeTarget(listed: ListedTarget): Promise<Probed> {
  const { to, scheme, origins } = listed;
  const address = formatTarget(to.type === "address" ? { ...to, ...(scheme && { scheme }) } : to);
  const started = performance.now();
  const base = (): Omit<Probed, "outcome"> => ({
    target: address,
    origins,
    time: Math.round(performance.now() - started),
  });
  let opened: Omit<Probed, "outcome"> | undefined;
  let socket: net.Socket | undefined;
  try {
    socket = await open(listed);
    const certificate = scheme === "https" ? describeCertificate(socket as TLSSocket) : undefined;
    opened = { ...base(), ...(certificate && { certificate }) };
    return { ...opened, outcome: { state: "open", ...(await listen(socket, listed)) } };
  } catch (error) {
    // Also of a target that accepted the connection and then failed.
    opened = { ...opened, ...base() };
    const failure = withDoubt(classify(error), listed);
    const { code, detail } = (await findOtherScheme(listed, failure)) ?? failure;
    const certificate = code === "tls_certificate_error" ? await readCertificate(listed) : undefined;
    return { ...opened, ...(certificate && { certificate }), outcome: { state: stateOf(code), code, detail } };
  } finally {
    socket?.destroy();
  }
}

/** A target that hangs up in the handshake may have refused the client certificate, as one that hangs up later. */
function withDoubt(failure: EgressFailure, listed: ListedTarget): EgressFailure {
  if (failure.code !== "connection_terminated" || listed.scheme !== "https") return failure;
  const { client } = termsOf(listed).trust;
  if (client === undefined || failure.detail.includes(client.file)) return failure;
  return { ...failure, detail: `${failure.detail}; it may have refused the client certificate ${client.file}` };
}

async function open(listed: ListedTarget): Promise<net.Socket> {
  if (listed.scheme === "https") return openTls(listed);
  const socket = dial(listed.to, { limits: listed.limits });
  await once(socket, "connect");
  return socket;
}

/** @returns the status, if a request was sent */
async function listen(socket: net.Socket, listed: ListedTarget): Promise<{ status?: number }> {
  if (listed.scheme === undefined) {
    await waitForHangUp(socket);
    return {};
  }
  const status = await askHead(socket, questionFor(listed));
  // TLS servers that answer plain HTTP at all answer with 400.
  const wrong = status === 400 ? await findOtherScheme(listed, TO_PLAIN_HTTP) : undefined;
  if (wrong !== undefined) throw new EgressError(wrong);
  return { status };
}

const TO_PLAIN_HTTP: EgressFailure = { code: "http_protocol_error", detail: "400 to plain HTTP" };

function questionFor(listed: ListedTarget): Question {
  const { hostName, limits, scheme } = listed;
  const client = scheme === "https" ? termsOf(listed).trust.client : undefined;
  return { hostName, patience: limits.readTimeout ?? limits.connectTimeout, client };
}

/** @returns a better description of the failure, if the target speaks TLS instead of plain HTTP, or the reverse */
async function findOtherScheme(
  listed: ListedTarget,
  { code, detail }: EgressFailure,
): Promise<EgressFailure | undefined> {
  const { scheme, to } = listed;
  const isMistakable =
    scheme === "https"
      ? code === "tls_protocol_error" || detail.startsWith(NO_HANDSHAKE)
      : code === "http_protocol_error" || code === "connection_terminated" || code === "connection_read_timeout";
  if (scheme === undefined || !isMistakable) return undefined;
  const other = scheme === "https" ? "http" : "https";
  let socket: net.Socket | undefined;
  try {
    socket = await open({ ...unchecked(listed), scheme: other });
    if (other === "http") await askHead(socket, questionFor({ ...listed, scheme: other }));
  } catch {
    // It speaks neither of them, so the first failure describes it.
    return undefined;
  } finally {
    socket?.destroy();
  }
  const words = { http: "plain HTTP", https: "TLS" };
  const advice = to.type === "address" ? `; write "${formatTarget({ ...to, scheme: other })}"` : "";
  return { code, detail: `it speaks ${words[other]}, not ${words[scheme]}${advice}` };
}

function openTls(listed: ListedTarget): Promise<TLSSocket> {
  return dialTls(listed.to, { terms: termsOf(listed), limits: listed.limits });
}

function termsOf({ to, tls, hostName }: ListedTarget): TlsTerms {
  return termsFor(to, { ...tls, hostName });
}

function unchecked(listed: ListedTarget): ListedTarget {
  return { ...listed, tls: { ...listed.tls, verify: "disabled" } };
}

/** Reads the certificate of a target, if it was not accepted. */
async function readCertificate(listed: ListedTarget): Promise<ProbedCertificate | undefined> {
  try {
    const socket = await openTls(unchecked(listed));
    const certificate = describeCertificate(socket);
    socket.destroy();
    return certificate;
  } catch {
    // The first failure is already reported, and without a certificate there is nothing to add.
    return undefined;
  }
}

function describeCertificate(socket: TLSSocket): ProbedCertificate | undefined {
  const { subject, subjectaltname, valid_to: expires }: Partial<PeerCertificate> = socket.getPeerCertificate();
  if (expires === undefined) return undefined;
  return { subject: String(subject?.CN ?? subjectaltname ?? "nobody"), expires: new Date(expires).toISOString() };
}

function stateOf(code: ProxyErrorCode): "refused" | "timed out" | "failed" {
  if (code === "connection_refused") return "refused";
  return TIMEOUTS.has(code) ? "timed out" : "failed";
}

const TIMEOUTS = new Set<ProxyErrorCode>(["connection_timeout", "dns_timeout", "connection_read_timeout"]);
