/**
 * Sends a request to a target that was known when the runtime started, through workerd's own pooled client. That
 * client reports no cause of a failure and has no connect timeout, so the egress proxy provides both.
 */

import { explainDrop, fetchThroughEgress, type HttpOrder, askProbe } from "../egress.ts";
import type { ServiceWorkerEnv } from "../env.ts";
import { ProxyError, connectTimedOut } from "../proxy-error.ts";
import { noteLoss } from "./graduates.ts";
import { AS_SENT } from "../pipe-body.ts";
import { PROXY_ERRORS, UNASKED_UPGRADE } from "../routing/error-codes.ts";
import type { TargetKey } from "../routing/forward-target.ts";
import type { Wait } from "../silence.ts";

interface Direct {
  name: TargetKey;
  /** The target's service. */
  service: Fetcher;
  env: ServiceWorkerEnv;
  order: HttpOrder;
  /** For the answer. */
  wait: Wait;
}

/** The share of the connect timeout after which a silent target is probed for whether it accepts connections at all. */
const PROBE_AFTER = 0.8;

/**
 * Differs from production: workerd waits over two minutes for a connection and reports no cause. So a target that is
 * still silent near the limit is probed. If it accepts, it is slow and the call waits; if it doesn't, the call times out.
 *
 * @throws {ProxyError} if the target gave no response
 */
export async function fetchDirectly(request: Request, direct: Direct): Promise<Response> {
  const { connectTimeout } = direct.order.limits;
  const begun = Date.now();
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  // A timer of its own would take a twentieth of a small request's time.
  const probe = direct.wait.after(connectTimeout * PROBE_AFTER, () => {
    void rejectIfDeaf(direct, { within: connectTimeout * (1 - PROBE_AFTER), reject });
  });
  direct.service.fetch(request, AS_SENT).then(resolve, reject);
  try {
    const received = await promise;
    // Reads only the status of most responses, because each access to one takes time.
    const { status } = received;
    if (status === 101 && isUnasked(request, received)) throw new ProxyError("http_protocol_error", UNASKED);
    return status === 502 && isBrokenUpgrade(request, received) ? await repeat(request, direct, begun) : received;
  } catch (error) {
    if (error instanceof ProxyError) throw error;
    noteLoss(direct.name, error);
    return await repeat(request, direct, begun);
  } finally {
    probe.cancel();
  }
}

async function rejectIfDeaf(
  { env, order: { target, limits, tls } }: Direct,
  { within, reject }: { within: number; reject: (error: ProxyError) => void },
): Promise<void> {
  // A probe that can't be made says nothing about the target.
  const order = { target, limits: { ...limits, connectTimeout: within }, ...(tls && { tls }) };
  const failure = await askProbe(env, order).catch(() => null);
  if (failure?.code === "connection_timeout") reject(connectTimedOut(limits.connectTimeout, failure.detail));
}

/** workerd answers 502 if a target accepted an upgrade wrongly. The target may also send its own 502; the repetition shows which. */
function isBrokenUpgrade(request: Request, response: Response): boolean {
  return response.webSocket === null && request.headers.has("upgrade");
}

/** A 101 to a request that did not ask for an upgrade. workerd passes it on. */
function isUnasked(request: Request, response: Response): boolean {
  return response.webSocket === null && !request.headers.has("upgrade");
}

export const UNASKED = { reason: `${PROXY_ERRORS.http_protocol_error.summary}: ${UNASKED_UPGRADE}` };

/**
 * Handles a failure whose cause is unknown: the target may have closed a kept connection. Only requests that may be
 * repeated come here (`mayUseWorkerdClient`), so the request is sent again, once, on a new connection, which also shows what
 * is wrong. If the caller is gone, the target is only probed.
 *
 * Differs from production: a target that drops a connection sees such a request more than once.
 *
 * @param begun when the first attempt was: one that failed within `connectTimeout` may have been connecting, so the second
 * has the rest of it
 */
export async function repeat(
  request: Request,
  { env, order }: Pick<Direct, "env" | "order">,
  begun: number,
): Promise<Response> {
  if (request.signal.aborted) throw await explainDrop(env, order);
  const { connectTimeout } = order.limits;
  const rest = connectTimeout - (Date.now() - begun);
  const within = rest <= 0 ? connectTimeout : Math.max(rest, connectTimeout * (1 - PROBE_AFTER));
  try {
    const limits = { ...order.limits, connectTimeout: within };
    return await fetchThroughEgress(request, env, { ...order, limits, isFresh: true });
  } catch (error) {
    const isTimeout = error instanceof ProxyError && error.code === "connection_timeout";
    throw isTimeout && within < connectTimeout ? connectTimedOut(connectTimeout, error.reason) : error;
  }
}
