/**
 * `fetch()` on a VPC binding. The request reaches its target untouched: the Host header is the URL's.
 *
 *   known plain http target ──▶ pooled `external` service        worker: ──▶ that Worker's fetch
 *   any other, TLS          ──▶ egress proxy in the Node process
 */

import { isProblem, parseHost } from "./address.ts";
import { type Decision, type Destination, type Forward, decide } from "./decide.ts";
import { fetchThroughEgress, probe, toEgressTarget, toProxyError } from "./egress.ts";
import type { EgressLimits, EgressTarget, EgressTls } from "./egress-protocol.ts";
import type { Call, ServiceWorkerEnv } from "./env.ts";
import { ProxyError, connectTimedOut, describeFailure } from "./failure.ts";
import { type ForwardTarget, formatTarget, targetKey } from "./forward-target.ts";
import { DEFAULT_PORT, type Scheme, type TlsPolicy } from "./table.ts";
import { printFailure, printTraffic } from "./traffic.ts";
import { fetchWorker } from "./worker-target.ts";

/** @throws an `Error` whose message is `ProxyError: <code>` when no response can be had */
export async function forwardRequest(request: Request, call: Call): Promise<Response> {
  const started = Date.now();
  const url = new URL(request.url);
  const decision = decide(call.index, call.bindingId, destinationOf(url));
  // A query may carry a token, and these lines end up in the logs of CI.
  const asked = `${request.method} ${url.origin}${url.pathname}${url.search && "?…"}`;
  const print = (forward: Forward, result: string): void => {
    const { traffic, bindingName } = forward.binding;
    if (!traffic) return;
    printTraffic(
      `${bindingName}  ${asked} → ${formatTarget(forward.to)}  ${result}  ${Date.now() - started} ms`,
      call.ctx,
    );
  };
  try {
    if (decision.type === "refuse") throw new ProxyError(decision.code, decision);
    const response = await forward(request, decision, call);
    print(decision, String(response.status));
    return response;
  } catch (error) {
    if (isOwnOfTarget(error, decision)) {
      print(decision, `threw ${String(error)}`);
      throw error;
    }
    const failure = ProxyError.from(error);
    printFailure(describeFailure(failure, decision, asked));
    throw failure.bare();
  }
}

/** Differs from production: what a stand-in throws reaches the caller as it is, for it is a fault in the user's own code. */
function isOwnOfTarget(error: unknown, decision: Decision): decision is Forward {
  return decision.type === "forward" && decision.to.type === "worker" && !(error instanceof ProxyError);
}

function destinationOf(url: URL): Destination {
  const scheme = schemeOf(url);
  return { scheme, host: url.hostname, port: url.port === "" ? DEFAULT_PORT[scheme] : Number(url.port) };
}

function schemeOf(url: URL): Scheme {
  return url.protocol === "https:" ? "https" : "http";
}

async function forward(request: Request, { to, binding }: Forward, call: Call): Promise<Response> {
  if (to.type === "worker") return fetchWorker(request, { to, limit: binding.limits.workerLimit, call });
  const order = { target: toEgressTarget(to), limits: binding.limits };
  const tls = tlsFor(new URL(request.url), to, binding.tls);
  if (tls !== undefined) return fetchThroughEgress(request, call.env, { ...order, tls });
  const known = to.type === "address" ? call.env[targetKey(to)] : undefined;
  return known === undefined
    ? fetchThroughEgress(request, call.env, order)
    : fetchDirectly(known, request, { env: call.env, ...order });
}

/** @returns undefined where the target is spoken to in plain HTTP */
function tlsFor(url: URL, to: ForwardTarget, policy: TlsPolicy): EgressTls | undefined {
  if (to.type === "function") return undefined;
  const scheme = (to.type === "address" ? to.scheme : undefined) ?? schemeOf(url);
  if (scheme === "http") return undefined;
  const host = parseHost(url.hostname);
  return { ...policy, hostName: isProblem(host) ? url.hostname : host.text };
}

interface DirectOrder {
  env: ServiceWorkerEnv;
  target: EgressTarget;
  limits: EgressLimits;
}

/** Share of the connect timeout after which a silent target is asked whether it accepts connections at all. */
const PROBE_AFTER = 0.8;

/**
 * Differs from production: workerd waits over two minutes for a connection and tells no cause, so a target that is still
 * silent near the limit is probed: one that accepts is slow, and waited for; one that doesn't, timed out.
 */
async function fetchDirectly(service: Fetcher, request: Request, order: DirectOrder): Promise<Response> {
  const { connectTimeout } = order.limits;
  const response = service.fetch(request);
  let probing: number | null = null;
  const timedOut = new Promise<never>((_, reject) => {
    const remaining = connectTimeout * (1 - PROBE_AFTER);
    probing = setTimeout(() => {
      void rejectIfDeaf(order, { within: remaining, reject });
    }, connectTimeout * PROBE_AFTER);
  });
  try {
    return await Promise.race([response, timedOut]);
  } catch (error) {
    if (error instanceof ProxyError) throw error;
    throw await classify(order);
  } finally {
    clearTimeout(probing);
  }
}

async function rejectIfDeaf(
  { env, target, limits }: DirectOrder,
  { within, reject }: { within: number; reject: (error: ProxyError) => void },
): Promise<void> {
  // A probe that can't be made says nothing about the target.
  const failure = await probe(env, { target, limits: { ...limits, connectTimeout: within } }).catch(() => null);
  if (failure?.code === "connection_timeout") reject(connectTimedOut(limits.connectTimeout));
}

/** The native error tells nothing; the target does. One that accepts now dropped the request. */
async function classify({ env, target, limits }: DirectOrder): Promise<ProxyError> {
  const failure = await probe(env, { target, limits });
  return failure === null ? new ProxyError("connection_terminated") : toProxyError(failure);
}
