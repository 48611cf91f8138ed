/**
 * Plain http to a target known when the runtime started: workerd's own pooled client. It tells no cause
 * of a failure and has no connect timeout, so the egress proxy is asked for both.
 */

import { explainDrop, fetchThroughEgress, type HttpOrder, probe } from "./egress.ts";
import type { ServiceWorkerEnv } from "./env.ts";
import { ProxyError, connectTimedOut } from "./failure.ts";
import { isIdempotent } from "./idempotent.ts";
import { AS_SENT } from "./pipe-body.ts";

interface Direct {
  /** The target's. */
  service: Fetcher;
  env: ServiceWorkerEnv;
  order: HttpOrder;
}

/** Share of the connect timeout after which a silent target is asked whether it accepts connections at all. */
const PROBE_AFTER = 0.8;

/**
 * Differs from production: workerd waits over two minutes for a connection and tells no cause, so a target that is still
 * silent near the limit is probed: one that accepts is slow, and waited for; one that doesn't, timed out.
 *
 * @throws {ProxyError} if the target gave no response
 */
export async function fetchDirectly(request: Request, direct: Direct): Promise<Response> {
  const { connectTimeout } = direct.order.limits;
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const timer = setTimeout(() => {
    void rejectIfDeaf(direct, { within: connectTimeout * (1 - PROBE_AFTER), reject });
  }, connectTimeout * PROBE_AFTER);
  direct.service.fetch(request, AS_SENT).then(resolve, reject);
  try {
    const received = await promise;
    return isBrokenUpgrade(request, received) ? await repeat(request, direct) : received;
  } catch (error) {
    if (error instanceof ProxyError) throw error;
    return await repeat(request, direct);
  } finally {
    clearTimeout(timer);
  }
}

async function rejectIfDeaf(
  { env, order: { target, limits } }: Direct,
  { within, reject }: { within: number; reject: (error: ProxyError) => void },
): Promise<void> {
  // A probe that can't be made says nothing about the target.
  const failure = await probe(env, { target, limits: { ...limits, connectTimeout: within } }).catch(() => null);
  if (failure?.code === "connection_timeout") reject(connectTimedOut(limits.connectTimeout));
}

/** workerd answers in place of a target that accepted an upgrade wrongly. A target may mean a 502, too: the repetition tells. */
function isBrokenUpgrade(request: Request, response: Response): boolean {
  // Of most responses only the first is read: each look at one takes time.
  return response.status === 502 && response.webSocket === null && request.headers.has("upgrade");
}

/**
 * After a failure whose cause is unknown: it may be a kept connection that the target has given up. What
 * may be repeated is, once, on a connection of its own, which also tells what is wrong. Of all else, the
 * target is asked whether it accepts connections: if so, it dropped the request.
 *
 * Differs from production: a target that drops a connection sees such a request twice.
 */
async function repeat(request: Request, { env, order }: Direct): Promise<Response> {
  if (isIdempotent(request.method) && request.body === null && !request.signal.aborted) {
    return fetchThroughEgress(request, env, { ...order, isFresh: true });
  }
  throw await explainDrop(env, order);
}
