/**
 * `fetch()` on a VPC binding. The request reaches its target untouched: the Host header is the URL's.
 *
 *   known http target ──▶ pooled `external` service        worker: ──▶ that Worker's fetch
 *   any other         ──▶ egress proxy in the Node process
 */

import { type Decision, type Destination, type IndexedTable, decide } from "./decide.ts";
import { fetchThroughEgress, probe, toEgressTarget, toProxyError } from "./egress.ts";
import { type ServiceWorkerEnv } from "./env.ts";
import { ProxyError, describeFailure } from "./failure.ts";
import type { Scheme } from "./table.ts";
import { printFailure, printTraffic } from "./traffic.ts";
import { enterWorker, workerStub } from "./worker-target.ts";
import { formatTarget, targetKey, type ForwardTarget } from "./forward-target.ts";

export interface Call {
  /** A `bindingKey` of the table. */
  bindingId: string;
  /** The table this call started with. */
  index: IndexedTable;
  env: ServiceWorkerEnv;
  ctx: Pick<ExecutionContext, "waitUntil">;
}

/** @throws an `Error` whose message is `ProxyError: <code>` when no response can be had */
export async function forwardRequest(request: Request, call: Call): Promise<Response> {
  const started = Date.now();
  const url = new URL(request.url);
  const decision = decide(call.index, call.bindingId, destinationOf(url));
  const asked = `${request.method} ${request.url}`;
  try {
    if (decision.type === "refuse") throw new ProxyError(decision.code, decision);
    const response = await forward(request, decision, call);
    if (decision.binding.traffic) {
      const line = `${decision.binding.bindingName}  ${asked} → ${formatTarget(decision.to)}  ${response.status}  ${Date.now() - started} ms`;
      printTraffic(line, call.ctx);
    }
    return response;
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    printFailure(describeFailure(error, decision, asked));
    throw error.bare();
  }
}

function destinationOf(url: URL): Destination {
  const scheme: Scheme = url.protocol === "https:" ? "https" : "http";
  return { scheme, host: url.hostname, port: url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port) };
}

async function forward(request: Request, decision: Decision & { type: "forward" }, call: Call): Promise<Response> {
  const { to, binding } = decision;
  if (to.type === "worker") {
    const leave = enterWorker(to.workerName, binding.workerLimit);
    try {
      return await workerStub(to, call.env).fetch(request);
    } finally {
      leave();
    }
  }
  const plain = toPlainHttp(request, to);
  const order = { target: toEgressTarget(to), connectTimeout: binding.connectTimeout };
  const known = to.type === "function" ? undefined : call.env[targetKey("http", to)];
  return known === undefined
    ? fetchThroughEgress(plain, call.env, order)
    : fetchDirectly(known, plain, { env: call.env, ...order });
}

/** The request as the target's scheme wants it. A plaintext copy of a TLS service gets the same Host header. */
function toPlainHttp(request: Request, to: ForwardTarget): Request {
  const asked: Scheme = request.url.startsWith("https:") ? "https" : "http";
  const spoken = "scheme" in to && to.scheme !== undefined ? to.scheme : to.type === "function" ? "http" : asked;
  if (spoken === "https") {
    throw new ProxyError("proxy_internal_error", {
      reason: "TLS to a target is not emulated yet",
      hint: 'If this machine\'s copy speaks plain HTTP, write its target as "http://host:port".',
    });
  }
  return asked === "http" ? request : new Request(request.url.replace(/^https:/, "http:"), request);
}

interface DirectOrder {
  env: ServiceWorkerEnv;
  target: Parameters<typeof probe>[1]["target"];
  connectTimeout: number;
}

/** Share of the connect timeout after which a silent target is asked whether it accepts connections at all. */
const PROBE_AFTER = 0.8;

/**
 * workerd waits over two minutes for a connection and tells no cause, so a target that is still
 * silent near the limit is probed: one that accepts is slow, and waited for; one that doesn't, timed out.
 */
async function fetchDirectly(service: Fetcher, request: Request, order: DirectOrder): Promise<Response> {
  const { connectTimeout } = order;
  const response = service.fetch(request);
  let probing: number | null = null;
  const timedOut = new Promise<never>((_, reject) => {
    const remaining = connectTimeout * (1 - PROBE_AFTER);
    probing = setTimeout(() => {
      void rejectIfUnreachable(order, { within: remaining, reject });
    }, connectTimeout * PROBE_AFTER);
  });
  try {
    return await Promise.race([response, timedOut]);
  } catch (error) {
    if (error instanceof ProxyError || request.signal.aborted) throw error;
    throw await classify(order);
  } finally {
    clearTimeout(probing);
  }
}

async function rejectIfUnreachable(
  { env, target }: DirectOrder,
  { within, reject }: { within: number; reject: (error: unknown) => void },
): Promise<void> {
  try {
    const failure = await probe(env, { target, connectTimeout: within });
    if (failure?.code === "connection_timeout") reject(toProxyError(failure));
  } catch (error) {
    reject(error);
  }
}

/** The native error tells nothing; the target does. One that accepts now dropped the request. */
async function classify({ env, target, connectTimeout }: DirectOrder): Promise<ProxyError> {
  const failure = await probe(env, { target, connectTimeout });
  return failure === null ? new ProxyError("connection_terminated") : toProxyError(failure);
}
