/**
 * Dials targets and tells what answers: whether the connection is accepted, a certificate, a status. Sends
 * nothing but a TLS handshake and a `HEAD /`, and these only where the target is known to speak them.
 */

import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";

import { formatTarget } from "../../service-worker/forward-target.ts";
import type { ProxyErrorCode } from "../../service-worker/proxy-error.ts";
import { dial } from "../egress/dial.ts";
import { classify } from "../egress/failure.ts";
import { dialTls, termsFor } from "../egress/tls.ts";
import type { ListedTarget } from "./list-targets.ts";

export interface Probed {
  /** As written in a config, the scheme in front where it is known. */
  target: string;
  origins: readonly string[];
  outcome: Outcome;
  certificate?: ProbedCertificate;
  /** Milliseconds until the connection was open, with TLS where it is spoken, or had failed. */
  time: number;
}

export type Outcome =
  /** `status`: of the answer to `HEAD /`; absent: the target was not asked, or `silence` says what became of it. */
  | { state: "open"; status?: number; silence?: string }
  | { state: "refused" | "timed out" | "failed"; code: ProxyErrorCode; detail: string };

export interface ProbedCertificate {
  /** The common name, or what names it else. */
  subject: string;
  /** ISO 8601. */
  expires: string;
}

/** Dialled at once; more would be refused by the system before they are by a target. */
const AT_ONCE = 64;

/** @param onProgress told how many are done */
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
  // The sockets that are dialled with don't keep the process alive.
  const alive = setInterval(() => undefined, 1000);
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    clearInterval(alive);
  }
  return probed;
}

async function probeTarget(listed: ListedTarget): Promise<Probed> {
  const { to, scheme, limits, origins } = listed;
  const address = formatTarget(to.type === "address" ? { ...to, ...(scheme && { scheme }) } : to);
  const started = performance.now();
  const base = (): Omit<Probed, "outcome"> => ({
    target: address,
    origins,
    time: Math.round(performance.now() - started),
  });
  let socket: net.Socket | undefined;
  try {
    if (scheme === "https") {
      const secure = await openTls(listed);
      socket = secure;
    } else {
      socket = dial(to, { limits });
      await once(socket, "connect");
    }
    const open = base();
    const certificate = scheme === "https" ? describeCertificate(socket as TLSSocket) : undefined;
    const answer = scheme === undefined ? {} : await askHead(socket, listed);
    return { ...open, ...(certificate && { certificate }), outcome: { state: "open", ...answer } };
  } catch (error) {
    const failed = base();
    const { code, detail } = classify(error);
    const certificate = code === "tls_certificate_error" ? await readCertificate(listed) : undefined;
    return { ...failed, ...(certificate && { certificate }), outcome: { state: stateOf(code), code, detail } };
  } finally {
    socket?.destroy();
  }
}

function openTls({ to, tls, hostName, limits }: ListedTarget): Promise<TLSSocket> {
  return dialTls(to, { terms: termsFor(to, { ...tls, hostName }), limits });
}

/** Of a target whose certificate was not accepted. */
async function readCertificate(listed: ListedTarget): Promise<ProbedCertificate | undefined> {
  try {
    const socket = await openTls({ ...listed, tls: { verify: "disabled", ca: [] } });
    const certificate = describeCertificate(socket);
    socket.destroy();
    return certificate;
  } catch {
    // The failure that matters was reported; without a certificate there is nothing to add.
    return undefined;
  }
}

function describeCertificate(socket: TLSSocket): ProbedCertificate | undefined {
  const { subject, subjectaltname, valid_to: expires }: Partial<PeerCertificate> = socket.getPeerCertificate();
  if (expires === undefined) return undefined;
  return { subject: String(subject?.CN ?? subjectaltname ?? "nobody"), expires: new Date(expires).toISOString() };
}

/** @returns the status; or why there was none, in words */
async function askHead(
  socket: net.Socket,
  { hostName, limits }: ListedTarget,
): Promise<{ status: number } | { silence: string }> {
  const patience = limits.readTimeout ?? limits.connectTimeout;
  const host = hostName.includes(":") ? `[${hostName}]` : hostName;
  const request = http.request({ createConnection: () => socket, method: "HEAD", path: "/", headers: { host } });
  request.setTimeout(patience, () => request.destroy(new Error(`no answer to HEAD / within ${patience} ms`)));
  request.end();
  try {
    const [response]: http.IncomingMessage[] = await once(request, "response");
    response?.resume();
    return { status: response?.statusCode ?? 0 };
  } catch (error) {
    return { silence: classify(error).detail };
  }
}

function stateOf(code: ProxyErrorCode): "refused" | "timed out" | "failed" {
  if (code === "connection_refused") return "refused";
  return code === "connection_timeout" || code === "dns_timeout" ? "timed out" : "failed";
}
