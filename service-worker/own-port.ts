/**
 * Finds a route that leads back to this very session over its own port. Such a loop leaves no trace in
 * the requests, so: when more calls to a loopback port than the limit wait for an answer, the Node
 * process is asked whose port it is.
 *
 *   Worker ── env.B.fetch ──▶ localhost:8787 ──▶ the same Worker ── env.B.fetch ──▶ …
 */

import { askOwnership } from "./egress.ts";
import type { EgressTarget } from "./egress-protocol.ts";
import type { ServiceWorkerEnv } from "./env.ts";
import { ProxyError } from "./failure.ts";

/** By port: requests that wait for an answer, and connections that are open. */
const requests = new Map<number, number>();
const connections = new Map<number, number>();

/** By port, what Node said, and until when it holds: a port may change hands. */
const answers = new Map<number, { isOwn: boolean; until: number }>();
const ANSWER_HOLDS = 5000;

interface Guard {
  limit: number;
  env: ServiceWorkerEnv;
}

/**
 * To be called when a request begins; `leaveRequest` when it is answered. An answer shows that requests
 * to this port do end, so all are forgotten: one that was aborted never leaves.
 *
 * @returns undefined where nothing is to be waited for
 * @throws {ProxyError} `proxy_loop_detected`, asynchronously
 */
export function enterRequest(target: EgressTarget, guard: Guard): Promise<void> | undefined {
  return isLoopback(target) ? enter(target.port, requests, guard) : undefined;
}

export function leaveRequest(target: EgressTarget): void {
  if (isLoopback(target)) requests.delete(target.port);
}

/**
 * @returns `leave`: to call when the connection is over
 * @throws {ProxyError} `proxy_loop_detected`
 */
export async function enterConnection(target: EgressTarget, guard: Guard): Promise<() => void> {
  if (!isLoopback(target)) return () => {};
  const { port } = target;
  const leave = (): void => void connections.set(port, (connections.get(port) ?? 1) - 1);
  try {
    await enter(port, connections, guard);
  } catch (error) {
    leave();
    throw error;
  }
  return leave;
}

function enter(port: number, counts: Map<number, number>, { limit, env }: Guard): Promise<void> | undefined {
  const count = (counts.get(port) ?? 0) + 1;
  counts.set(port, count);
  return count > limit ? refuseOwn(port, { count, env }) : undefined;
}

async function refuseOwn(port: number, { count, env }: { count: number; env: ServiceWorkerEnv }): Promise<void> {
  const known = answers.get(port);
  const isOwn = known !== undefined && Date.now() < known.until ? known.isOwn : await askOwnership(env, port);
  answers.set(port, { isOwn, until: Date.now() + ANSWER_HOLDS });
  if (!isOwn) return;
  throw new ProxyError("proxy_loop_detected", {
    reason: `${count - 1} calls to port ${port}, where this session itself listens, wait for one another`,
  });
}

function isLoopback(target: EgressTarget): target is EgressTarget & { type: "address" } {
  if (target.type !== "address") return false;
  const { host } = target;
  return LOCAL.has(host) || host.startsWith("127.") || host.endsWith(".localhost");
}

/** The unspecified addresses lead to this machine too. */
const LOCAL = new Set(["localhost", "::1", "0.0.0.0", "::"]);
