/**
 * `fetch()` on a VPC binding. The request reaches its target untouched: the Host header is the URL's.
 *
 *   known plain http target ──▶ pooled `external` service        worker: ──▶ that Worker's fetch
 *   any other, TLS          ──▶ egress proxy in the Node process
 */

import { watchBody } from "./broken-body.ts";
import { type Decision, type Forward, decide } from "./decide.ts";
import { fetchDirectly } from "./direct.ts";
import {
  type HttpOrder,
  askFailure,
  fetchThroughEgress,
  makeExchangeId,
  toEgressTarget,
  toProxyError,
} from "./egress.ts";
import type { Call, ServiceWorkerEnv } from "./env.ts";
import { ProxyError, describeFailure } from "./failure.ts";
import { formatTarget, targetKey } from "./forward-target.ts";
import { enterPort } from "./own-port.ts";
import { countCall } from "./rate-limit.ts";
import { printFailure, printTraffic } from "./traffic.ts";
import { destinationOf, mayGoDirectly, tlsFor } from "./transport.ts";
import { fetchWorker } from "./worker-target.ts";

/** @throws an `Error` whose message is `ProxyError: <code>` when no response can be had */
export async function forwardRequest(request: Request, call: Call): Promise<Response> {
  const started = Date.now();
  const url = new URL(request.url);
  const decision = decide(call.index, call.bindingId, destinationOf(url));
  // Not before it is printed: what it is made of costs as much as the decision. A query may carry a token, and these
  // lines end up in the logs of CI.
  const asked = (): string => `${request.method} ${url.origin}${url.pathname}${url.search && "?…"}`;
  const print = (forward: Forward, result: string): void => {
    const { traffic, bindingName } = forward.binding;
    if (!traffic) return;
    printTraffic(
      `${bindingName}  ${asked()} → ${formatTarget(forward.to)}  ${result}  ${Date.now() - started} ms`,
      call.ctx,
    );
  };
  const report = (error: unknown): ProxyError => {
    const failure = ProxyError.from(error);
    printFailure(describeFailure(failure, decision, asked()));
    return failure;
  };
  try {
    if (decision.type === "refuse") throw new ProxyError(decision.code, decision);
    checkUrl(url);
    const { rateLimit } = decision.binding.limits;
    if (rateLimit !== undefined) countCall(call.bindingId, rateLimit);
    const response = await forward(request, decision, { url, call, report });
    print(decision, String(response.status));
    return response;
  } catch (error) {
    if (isOwnOfTarget(error, decision)) {
      print(decision, `threw ${String(error)}`);
      throw error;
    }
    throw report(error).bare();
  }
}

/** Differs from production: what a stand-in throws reaches the caller as it is, for it is a fault in the user's own code. */
function isOwnOfTarget(error: unknown, decision: Decision): decision is Forward {
  return decision.type === "forward" && decision.to.type === "worker" && !(error instanceof ProxyError);
}

/** Characters. workerd sends nothing longer, and says so in a stack only. */
const MAX_URL = 65_530;

/** @throws {ProxyError} `http_request_denied` for `ftp:`, to which a redirect may lead; `http_request_error` */
function checkUrl({ protocol, href }: URL): void {
  if (protocol !== "http:" && protocol !== "https:") {
    throw new ProxyError("http_request_denied", {
      reason: `the URL's scheme is ${protocol}, but a VPC binding serves http: and https: only`,
      hint: "Correct the URL, or the redirect of the service that led to it.",
    });
  }
  if (href.length > MAX_URL) {
    throw new ProxyError("http_request_error", {
      reason: `the URL has ${href.length} characters, but at most ${MAX_URL} can be sent`,
      hint: "Send what it carries in the body of a POST.",
    });
  }
}

async function forward(
  request: Request,
  { to, binding }: Forward,
  { url, call, report }: { url: URL; call: Call; report: (error: unknown) => ProxyError },
): Promise<Response> {
  const { env, ctx } = call;
  const { limits } = binding;
  if (to.type === "worker") return fetchWorker(request, { to, limits, env, ctx });
  const target = toEgressTarget(to);
  const tls = tlsFor(url, to, binding.tls);
  const order: HttpOrder = { target, limits, exchangeId: makeExchangeId(), ...(tls && { tls }) };
  const service = mayGoDirectly(to, { tls, limits }) ? env[targetKey(to)] : undefined;
  const { signal } = request;
  const { leave, checked } = enterPort(target, { limit: limits.workerLimit, env });
  // An abort ends this event at once, and nothing behind an `await` runs.
  signal.addEventListener("abort", leave, { once: true });
  try {
    // A promise that is not there is not waited for: each wait takes time.
    if (checked !== undefined) await checked;
    const response = await (service === undefined
      ? fetchThroughEgress(request, env, order)
      : fetchDirectly(request, { service, env, order }));
    return watchBody(response, { ctx, signal, explain: async () => report(await explainBreak(env, order)) });
  } finally {
    leave();
  }
}

/** Only the egress proxy knows more than that the body ended too early. */
async function explainBreak(env: ServiceWorkerEnv, { exchangeId }: HttpOrder): Promise<ProxyError> {
  const failure = await askFailure(env, exchangeId);
  return failure === null ? new ProxyError("http_response_incomplete") : toProxyError(failure);
}
