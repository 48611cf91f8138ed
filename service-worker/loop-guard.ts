/**
 * Finds a route that leads back to this session through its own port. Such a loop leaves no trace in the
 * requests. So if more calls to a port of this machine than the limit wait for an answer, this asks the Node process
 * whether the session itself listens there.
 *
 *   Worker ── env.B.fetch ──▶ localhost:8787 ──▶ the same Worker ── env.B.fetch ──▶ …
 */

import { askOwnership } from "./egress.ts";
import type { EgressTarget } from "./routing/egress-protocol.ts";
import type { ServiceWorkerEnv } from "./env.ts";
import { describeLoop, isThisMachine } from "./routing/own-loop.ts";
import { ProxyError } from "./proxy-error.ts";
import { enter } from "./routing/in-flight.ts";

/**
 * By port: calls that began and were not seen to end. An aborted call stays, because only a signal reports an abort and
 * listening to one takes time on each request.
 */
const begun = new Map<number, number>();

/** By port of this session: requests that wait for an answer, and open connections. */
const inFlight = new Map<number, number>();

/** Node's answer by port, and when it expires, because another program may take over the port. */
const answers = new Map<number, { isOwn: boolean; until: number }>();
/** Milliseconds. */
const ANSWER_HOLDS = 5000;

interface Guard {
  limit: number;
  env: ServiceWorkerEnv;
  /** Its abort ends the call, and no other code of the call runs then. */
  request?: Request;
}

export interface PortEntry {
  /** Call it when the request is answered or the connection is over. Further calls do nothing. */
  leave: () => void;
  /** Whether a call counts forever if it doesn't leave. */
  isCounted: boolean;
  /** Rejects with a {@link ProxyError}, `proxy_loop_detected`; undefined if there is nothing to wait for. */
  checked: Promise<void> | undefined;
}

/** Call it when a request or a connection begins. */
export function enterPort(target: EgressTarget, { limit, env, request }: Guard): PortEntry {
  if (!isThisMachine(target, env.OWN_HOSTS)) return OPEN;
  const { port } = target;
  if (answers.get(port)?.isOwn !== true) {
    const { count, leave } = enter(begun, port);
    return { leave, isCounted: false, checked: count > limit ? lookAgain(port, env) : undefined };
  }
  const { count, leave } = enter(inFlight, port);
  request?.signal.addEventListener("abort", leave, { once: true });
  return { leave, isCounted: true, checked: count > limit ? refuseOwn(port, { count, env }) : undefined };
}

/** For targets that aren't a port of this machine. */
const OPEN: PortEntry = { leave: () => {}, isCounted: false, checked: undefined };

/** After this, calls to our own port are counted exactly. The count of any other port starts from zero again. */
async function lookAgain(port: number, env: ServiceWorkerEnv): Promise<void> {
  await isOwn(port, env);
  begun.delete(port);
}

async function refuseOwn(port: number, { count, env }: { count: number; env: ServiceWorkerEnv }): Promise<void> {
  if (!(await isOwn(port, env))) return;
  const { code, detail } = describeLoop(port, count);
  throw new ProxyError(code, { reason: detail });
}

async function isOwn(port: number, env: ServiceWorkerEnv): Promise<boolean> {
  const known = answers.get(port);
  if (known !== undefined && Date.now() < known.until) return known.isOwn;
  const answer = { isOwn: await askOwnership(env, port), until: Date.now() + ANSWER_HOLDS };
  answers.set(port, answer);
  return answer.isOwn;
}
