/**
 * `fetch()` on a VPC binding. The request reaches its target untouched: the Host header is the URL's.
 *
 *   known plain http target ──▶ pooled `external` service        worker: ──▶ that Worker's fetch
 *   any other, TLS          ──▶ egress proxy in the Node process
 */

import { watchBody } from "./broken-body.ts";
import type { Decision, Forward } from "./decide.ts";
import { fetchDirectly } from "./direct.ts";
import { type HttpOrder, askFailure, fetchThroughEgress, makeExchangeId, toProxyError } from "./egress.ts";
import type { Call, ServiceWorkerEnv } from "./env.ts";
import { ProxyError, describeFailure } from "./failure.ts";
import { formatTarget } from "./forward-target.ts";
import { enterPort } from "./own-port.ts";
import { type Plan, planFor } from "./plan.ts";
import { countCall } from "./rate-limit.ts";
import { printFailure, printTraffic } from "./traffic.ts";
import type { HttpWay } from "./transport.ts";
import { fetchWorker } from "./worker-target.ts";

/** @throws an `Error` whose message is `ProxyError: <code>` when no response can be had */
export async function forwardRequest(request: Request, call: Call): Promise<Response> {
  const started = Date.now();
  const plan = planFor(request.url, call);
  const { decision } = plan;
  const print = (forward: Forward, result: string): void => {
    const { traffic, bindingName } = forward.binding;
    if (!traffic) return;
    printTraffic(
      `${bindingName}  ${describeRequest(request)} → ${formatTarget(forward.to)}  ${result}  ${Date.now() - started} ms`,
      call.ctx,
    );
  };
  const report = (error: unknown): ProxyError => {
    const failure = ProxyError.from(error);
    printFailure(describeFailure(failure, decision, describeRequest(request)));
    return failure;
  };
  try {
    if (decision.type === "refuse") throw new ProxyError(decision.code, decision);
    checkUrl(request.url, plan);
    const { rateLimit } = decision.binding.limits;
    if (rateLimit !== undefined) countCall(call.bindingId, rateLimit);
    const response = await forward(request, { decision, way: plan.way, call, report });
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

/** Not made before it is printed. A query may carry a token, and these lines end up in the logs of CI. */
function describeRequest({ method, url }: Request): string {
  const { origin, pathname, search } = new URL(url);
  return `${method} ${origin}${pathname}${search && "?…"}`;
}

/** Differs from production: what a stand-in throws reaches the caller as it is, for it is a fault in the user's own code. */
function isOwnOfTarget(error: unknown, decision: Decision): decision is Forward {
  return decision.type === "forward" && decision.to.type === "worker" && !(error instanceof ProxyError);
}

/** Characters. workerd sends nothing longer, and says so in a stack only. */
const MAX_URL = 65_530;

/** @throws {ProxyError} `http_request_denied` for `ftp:`, to which a redirect may lead; `http_request_error` */
function checkUrl(url: string, { protocol }: Plan): void {
  if (protocol !== "http:" && protocol !== "https:") {
    throw new ProxyError("http_request_denied", {
      reason: `the URL's scheme is ${protocol}, but a VPC binding serves http: and https: only`,
      hint: "Correct the URL, or the redirect of the service that led to it.",
    });
  }
  if (url.length > MAX_URL) {
    throw new ProxyError("http_request_error", {
      reason: `the URL has ${url.length} characters, but at most ${MAX_URL} can be sent`,
      hint: "Send what it carries in the body of a POST.",
    });
  }
}

interface Forwarding {
  decision: Forward;
  way: HttpWay | undefined;
  call: Call;
  report: (error: unknown) => ProxyError;
}

async function forward(
  request: Request,
  { decision: { to, binding }, way, call, report }: Forwarding,
): Promise<Response> {
  const { env, ctx } = call;
  if (to.type === "worker") return fetchWorker(request, { to, limits: binding.limits, env, ctx });
  if (way === undefined) throw new Error(`miniflare-vpc: no way to ${formatTarget(to)}`);
  const { direct, ...common } = way;
  const order: HttpOrder = { ...common, exchangeId: makeExchangeId() };
  const service = direct && env[direct];
  const { leave, checked } = enterPort(order.target, { limit: binding.limits.workerLimit, env, request });
  try {
    // A promise that is not there is not waited for: each wait takes time.
    if (checked !== undefined) await checked;
    const response = await (service === undefined
      ? fetchThroughEgress(request, env, order)
      : fetchDirectly(request, { service, env, order }));
    return watchBody(response, { ctx, request, explain: async () => report(await explainBreak(env, order)) });
  } finally {
    leave();
  }
}

/** Only the egress proxy knows more than that the body ended too early. */
async function explainBreak(env: ServiceWorkerEnv, { exchangeId }: HttpOrder): Promise<ProxyError> {
  const failure = await askFailure(env, exchangeId);
  return failure === null ? new ProxyError("http_response_incomplete") : toProxyError(failure);
}
