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
import { enter } from "./in-flight.ts";

/**
 * By port: calls that began and were not seen to end. An aborted one stays, for only a signal tells of that, and to
 * listen to a signal takes a twentieth of a small request's time.
 */
const begun = new Map<number, number>();

/** By port of this very session: requests that wait for an answer, and connections that are open. */
const inFlight = new Map<number, number>();

/** By port, what Node said, and until when it holds: a port may change hands. */
const answers = new Map<number, { isOwn: boolean; until: number }>();
/** Milliseconds. */
const ANSWER_HOLDS = 5000;

interface Guard {
  limit: number;
  env: ServiceWorkerEnv;
  /** Whose abort ends the call, with nothing else of it running. */
  request?: Request;
}

export interface PortEntry {
  /** To be called when the request is answered, or the connection over; further calls do nothing. */
  leave: () => void;
  /** Whether a call that does not leave counts forever. */
  isCounted: boolean;
  /** Rejects with a {@link ProxyError}, `proxy_loop_detected`; undefined where there is nothing to wait for. */
  checked: Promise<void> | undefined;
}

/** To be called when a request or a connection begins. */
export function enterPort(target: EgressTarget, { limit, env, request }: Guard): PortEntry {
  if (!isLoopback(target)) return OPEN;
  const { port } = target;
  if (answers.get(port)?.isOwn !== true) {
    const { count, leave } = enter(begun, port);
    return { leave, isCounted: false, checked: count > limit ? lookAgain(port, env) : undefined };
  }
  const { count, leave } = enter(inFlight, port);
  request?.signal.addEventListener("abort", leave, { once: true });
  return { leave, isCounted: true, checked: count > limit ? refuseOwn(port, { count, env }) : undefined };
}

/** Of a target that is no port of this machine. */
const OPEN: PortEntry = { leave: () => {}, isCounted: false, checked: undefined };

/** From now on, calls to a port of our own are counted exactly; of any other, the count begins anew. */
async function lookAgain(port: number, env: ServiceWorkerEnv): Promise<void> {
  await isOwn(port, env);
  begun.delete(port);
}

async function refuseOwn(port: number, { count, env }: { count: number; env: ServiceWorkerEnv }): Promise<void> {
  if (!(await isOwn(port, env))) return;
  throw new ProxyError("proxy_loop_detected", {
    reason: `${count - 1} calls to port ${port}, where this session itself listens, wait for one another`,
  });
}

async function isOwn(port: number, env: ServiceWorkerEnv): Promise<boolean> {
  const known = answers.get(port);
  if (known !== undefined && Date.now() < known.until) return known.isOwn;
  const answer = { isOwn: await askOwnership(env, port), until: Date.now() + ANSWER_HOLDS };
  answers.set(port, answer);
  return answer.isOwn;
}

function isLoopback(target: EgressTarget): target is EgressTarget & { type: "address" } {
  if (target.type !== "address") return false;
  const { host } = target;
  return LOCAL.has(host) || host.startsWith("127.") || host.endsWith(".localhost");
}

/** The unspecified addresses lead to this machine too. */
const LOCAL = new Set(["localhost", "::1", "0.0.0.0", "::"]);
