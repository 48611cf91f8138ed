/**
 * `fetch()` on a VPC binding. The request reaches its target untouched: the Host header is the URL's.
 *
 *   known target, may be repeated        ──▶ pooled `external` service; with TLS: if it has graduated (graduates.ts)
 *   another target that was asked before ──▶ pooled `external` service for a lane (lanes.ts)
 *   any other                            ──▶ egress proxy in the Node process
 *   worker:                              ──▶ that Worker's fetch
 */

import { watchBody } from "./broken-body.ts";
import { fetchDirectly } from "./direct-fetch.ts";
import { type HttpOrder, askFailure, fetchThroughEgress, makeExchangeId, toProxyError } from "../egress.ts";
import type { Call, ServiceWorkerEnv } from "../env.ts";
import { ProxyError } from "../proxy-error.ts";
import { considerGraduation, directService, mayGraduate } from "./graduates.ts";
import { RequestLines } from "./request-lines.ts";
import { mayUseWorkerdClient } from "../routing/idempotent.ts";
import { chooseLane, fetchByLane } from "./lanes.ts";
import { enterPort } from "../loop-guard.ts";
import { type OriginDecision, decideOrigin } from "./decision-cache.ts";
import { countCall } from "../rate-limit.ts";
import { type Wait, reportSilence } from "../silence.ts";
import { warnOnce } from "../traffic.ts";
import { fetchObserved, isObserved, observe } from "../observed.ts";
import { destinationOf } from "../routing/transport.ts";
import { ThrownByTarget } from "../thrown-by-target.ts";
import { fetchWorker } from "../worker-target.ts";

/** @throws an `Error` with the message `ProxyError: <code>` if there is no response */
export async function forwardRequest(request: Request, call: Call): Promise<Response> {
  const decided = decideOrigin(request.url, call);
  const { decision } = decided;
  const { binding } = decision;
  const lines = new RequestLines(request, { decision, call });
  try {
    if (decided.type === "forward") {
      const {
        ignoredPort,
        decision: { limits },
      } = decided;
      checkUrl(request.url, decided);
      if (ignoredPort !== undefined) warnOnce(binding, "port", ignoredPort);
      if (limits.rateLimit !== undefined) countCall(call.bindingId, limits.rateLimit);
    }
    if (isObserved(call)) {
      const url = new URL(request.url);
      lines.observed = observe(decision, destinationOf(url), { call, url });
    }
    const wait = reportSilence({
      describe: () => `${binding.bindingName}  ${lines.what}`,
      // The event of a caller that gives up ends at once, so it is too late to ask then.
      prepare: () => void lines.learnGoal(),
      target: () => lines.goal,
      signal: () => request.signal,
      traffic: binding.traffic,
    });
    try {
      const response = await forward(request, { decided, call, lines, wait });
      lines.over(String(response.status));
      return response;
    } finally {
      wait.end();
    }
  } catch (error) {
    if (!(error instanceof ThrownByTarget)) throw (await lines.fail(error)).bare();
    const { thrown, explanation } = error;
    if (explanation === undefined) lines.over(`threw ${String(thrown)}`);
    else await lines.explain({ message: String(thrown), reason: explanation.reason, hint: explanation.hint });
    throw thrown;
  }
}

/** Characters. workerd refuses longer URLs, and only a stack says so. */
const MAX_URL = 65_530;

/** @throws {ProxyError} `http_request_denied` for `ftp:`, to which a redirect may lead; `http_request_error` */
function checkUrl(url: string, { protocol }: OriginDecision): void {
  if (protocol !== "http:" && protocol !== "https:") {
    throw new ProxyError("http_request_denied", {
      reason: `the URL's scheme is ${protocol}, but a VPC binding serves http: and https: only`,
      hint: "Correct the URL, or the redirect of the service that led to it.",
    });
  }
  if (url.length > MAX_URL) {
    throw new ProxyError("http_request_error", {
      reason: `the URL has ${url.length} characters, but at most ${MAX_URL} can be sent`,
      hint: "Send its data in the body of a POST.",
    });
  }
}

interface Forwarding {
  decided: OriginDecision;
  call: Call;
  lines: RequestLines;
  wait: Wait;
}

async function forward(request: Request, { decided, call, lines, wait }: Forwarding): Promise<Response> {
  const { env, ctx } = call;
  const { observed } = lines;
  const watch = (response: Response, exchangeId: string): Response =>
    watchBody(response, { request, explain: async () => lines.fail(await explainBreak(env, exchangeId)) });
  if (observed !== undefined) return watch(await fetchObserved(request, observed, call), observed.exchangeId);
  // A rule may answer what the table refuses.
  if (decided.type === "refuse") throw new ProxyError(decided.decision.code, decided.decision);
  const {
    way,
    decision: { limits },
  } = decided;
  if (way.type === "worker") return fetchWorker(request, { to: way.to, limits, env, ctx });
  const { direct } = way;
  const order: HttpOrder = { ...way.order, exchangeId: makeExchangeId() };
  const mayRepeat = mayUseWorkerdClient(request);
  const service = direct && mayRepeat ? directService(direct, env) : undefined;
  const isCandidate = service === undefined && direct !== undefined && mayGraduate(direct, env);
  const lane = service === undefined && mayRepeat && !isCandidate ? chooseLane(request, way.order, call) : undefined;
  const { leave, checked } = enterPort(order.target, { limit: limits.workerLimit, env, request });
  try {
    // Awaits only if there is a promise, because each await takes time.
    if (checked !== undefined) await checked;
    const response = await (service !== undefined && direct !== undefined
      ? fetchDirectly(request, { name: direct, service, env, order, wait })
      : lane !== undefined
        ? fetchByLane(request, { lane, env, order })
        : fetchThroughEgress(request, env, order));
    if (isCandidate) considerGraduation(direct, call);
    return watch(response, order.exchangeId);
  } finally {
    leave();
  }
}

/** Asks the egress proxy, because here it is only known that the body ended too early. */
async function explainBreak(env: ServiceWorkerEnv, exchangeId: string): Promise<ProxyError> {
  const failure = await askFailure(env, exchangeId);
  return failure === null ? new ProxyError("http_response_incomplete") : toProxyError(failure);
}
