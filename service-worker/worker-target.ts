/**
 * `worker:` targets: another Worker of the session stands in for the private service. How many calls
 * are in flight to each is counted, for a Worker that calls itself back through a binding would
 * otherwise recurse until memory ends.
 *
 * Differs from production: the limit.
 */

import type { Call, ServiceWorkerEnv } from "./env.ts";
import { ProxyError } from "./failure.ts";
import { type ForwardTarget, targetKey } from "./forward-target.ts";
import { enter } from "./in-flight.ts";
import { AS_SENT, pipeBody } from "./pipe-body.ts";
import type { Limits } from "./table.ts";

const inFlight = new Map<string, number>();

/** @throws {ProxyError} as `enterWorker`; what the Worker throws */
export async function fetchWorker(
  request: Request,
  { to, limits, env, ctx }: { to: WorkerTarget; limits: Limits } & Pick<Call, "env" | "ctx">,
): Promise<Response> {
  const stub = workerStub(to, env);
  const leave = enterWorker(to.workerName, limits);
  // An abort ends this event at once, and nothing behind the `await` runs.
  request.signal.addEventListener("abort", leave, { once: true });
  try {
    const response = await stub.fetch(request, AS_SENT);
    return leaveWithBody(response, { leave, ctx, signal: request.signal });
  } catch (error) {
    leave();
    throw error;
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
  // A Worker may announce any length: none is certain.
  const { piped, writable } = pipeBody(response);
  // A body that breaks off breaks off for its reader; here only its end counts.
  ctx.waitUntil(response.body.pipeTo(writable, { signal }).then(leave, leave));
  return piped;
}

/** @returns `leave`: to call when the connection is over. @throws {ProxyError} as `enterWorker` */
export function connectWorker(
  to: WorkerTarget,
  { limits, env }: { limits: Limits; env: ServiceWorkerEnv },
): { socket: Socket; leave: () => void } {
  const stub = workerStub(to, env);
  const leave = enterWorker(to.workerName, limits);
  return { socket: stub.connect("worker:1", { allowHalfOpen: true }), leave };
}

type WorkerTarget = ForwardTarget & { type: "worker" };

/** @throws {ProxyError} `connection_limit_reached`, `proxy_loop_detected` */
function enterWorker(workerName: string, { connectionLimit = Infinity, workerLimit }: Limits): () => void {
  const { count, leave } = enter(inFlight, workerName);
  if (count <= Math.min(connectionLimit, workerLimit)) return leave;
  leave();
  const reason = `${count - 1} calls are already in flight to the Worker ${JSON.stringify(workerName)}`;
  throw new ProxyError(count > connectionLimit ? "connection_limit_reached" : "proxy_loop_detected", { reason });
}

/** @throws {ProxyError} `destination_unavailable` if an edit named a Worker that was not there at the start */
function workerStub(to: WorkerTarget, env: ServiceWorkerEnv): Fetcher {
  const stub = env[targetKey(to)];
  if (stub !== undefined) return stub;
  throw new ProxyError("destination_unavailable", {
    reason: `the Worker ${JSON.stringify(to.workerName)} is not part of this session`,
    hint: "Start it in the same session, then restart.",
  });
}
