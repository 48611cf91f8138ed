/**
 * `worker:` targets: another Worker of the session replaces the private service. Counts the calls in flight
 * to each Worker, because a Worker that calls itself through a binding would recurse until memory runs out.
 *
 * Differs from production: the limit.
 */

import type { Call, ServiceWorkerEnv } from "./env.ts";
import { ProxyError } from "./proxy-error.ts";
import { targetKey } from "./routing/forward-target.ts";
import { enter } from "./routing/in-flight.ts";
import { AS_SENT, pipeBody } from "./pipe-body.ts";
import type { Limits, TargetWorker } from "./routing/table.ts";
import { ThrownByTarget } from "./thrown-by-target.ts";

const inFlight = new Map<string, number>();

/** @throws {ProxyError} as `enterWorker`, {@link ThrownByTarget} */
export async function fetchWorker(
  request: Request,
  { to, limits, env, ctx }: { to: TargetWorker; limits: Limits } & Pick<Call, "env" | "ctx">,
): Promise<Response> {
  const stub = workerStub(to, env);
  const leave = enterWorker(to, limits);
  // An abort ends this event immediately, and nothing after the `await` runs.
  request.signal.addEventListener("abort", leave, { once: true });
  try {
    const response = await stub.fetch(request, AS_SENT);
    return leaveWithBody(response, { leave, ctx, signal: request.signal });
  } catch (error) {
    leave();
    throw new ThrownByTarget(error);
  }
}

/** A Worker that streams from itself is in flight until its body ends, not until it answers. */
function leaveWithBody(
  response: Response,
  { leave, ctx, signal }: { leave: () => void; signal: AbortSignal } & Pick<Call, "ctx">,
): Response {
  if (response.body === null || response.webSocket) {
    leave();
    return response;
  }
  // Passes no length, because a Worker may announce any.
  const { piped, writable } = pipeBody(response);
  // If the body breaks off, its reader sees that. Only its end matters here.
  ctx.waitUntil(response.body.pipeTo(writable, { signal }).then(leave, leave));
  return piped;
}

/**
 * @param options.address the requested `host:port`, which the Worker sees
 * @returns `leave`: call it when the connection is over
 * @throws {ProxyError} as `enterWorker`
 */
export function connectWorker(
  to: TargetWorker,
  { address, limits, env }: { address: string; limits: Limits; env: ServiceWorkerEnv },
): { socket: Socket; leave: () => void } {
  const stub = workerStub(to, env);
  const leave = enterWorker(to, limits);
  return { socket: stub.connect(address, { allowHalfOpen: true }), leave };
}

/** @throws {ProxyError} `connection_limit_reached`, `proxy_loop_detected` */
function enterWorker(to: TargetWorker, { connectionLimit = Infinity, workerLimit }: Limits): () => void {
  const { count, leave } = enter(inFlight, to.workerName);
  if (count <= Math.min(connectionLimit, workerLimit)) return leave;
  leave();
  const reason = `${count - 1} calls are already in flight to the Worker ${JSON.stringify(nameOf(to))}`;
  throw new ProxyError(count > connectionLimit ? "connection_limit_reached" : "proxy_loop_detected", { reason });
}

/** @throws {ProxyError} `destination_unavailable` if an edit named a Worker that was not there at the start */
function workerStub(to: TargetWorker, env: ServiceWorkerEnv): Fetcher {
  const stub = env[targetKey(to)];
  if (stub !== undefined) return stub;
  throw new ProxyError("destination_unavailable", {
    reason: `the Worker ${JSON.stringify(nameOf(to))} is not part of this session`,
    hint: "Start it in the same session, then restart.",
  });
}

function nameOf({ workerName, ownName = workerName }: TargetWorker): string {
  return ownName;
}
