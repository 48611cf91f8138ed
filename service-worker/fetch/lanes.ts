/**
 * Lanes: workerd's own pooled client for targets that were not known when the runtime started, and for https. The Node
 * process gives a target one of the services that were kept in reserve, and passes raw bytes between that service's
 * connections and the target (plugin/egress/lanes.ts). It opens those connections itself, within the limits, and answers
 * with the failure if it can't.
 *
 *   first requests to a target  ──▶ egress proxy … meanwhile, which lane?
 *   later ones, may be repeated ──▶ the lane ──▶ target
 *   an upgrade, or a failure    ──▶ egress proxy
 */

import { UNASKED, repeat } from "./direct-fetch.ts";
import { type HttpOrder, ask, fetchThroughEgress, parseFailure, toProxyError } from "../egress.ts";
import type { Call, ServiceWorkerEnv } from "../env.ts";
import { AS_SENT } from "../pipe-body.ts";
import { ProxyError } from "../proxy-error.ts";
import { type EgressLane, FAILURE_HEADER, LANE_TOKEN_HEADER, type LaneGoal } from "../routing/egress-protocol.ts";
import { isFramed } from "../routing/framing.ts";
import { type HttpWay, needsEgress } from "../routing/transport.ts";

interface Candidate {
  goal: LaneGoal;
  /** How often it was asked for without a lane. */
  requests: number;
  lane?: Lane | undefined;
  /** Its answers don't suit a lane. */
  isUnfit?: true;
}

export interface Lane {
  service: Fetcher;
  token: string;
  /** Call it if the target answers in a way that doesn't suit a lane. */
  abandon: () => void;
}

type Order = (HttpWay & { type: "http" })["order"];

/** By `LaneGoal`. */
let candidates = new Map<string, Candidate>();
/** The same by order, which the decision for an origin keeps (decision-cache.ts). Null: the order doesn't suit a lane. */
let known = new WeakMap<Order, Candidate | null>();
/** At this many, all are forgotten. The Node process knows which have a lane. */
const MAX_CANDIDATES = 1000;

/**
 * Call it only for requests that may be repeated.
 *
 * @returns undefined if the request must go through the egress proxy
 */
export function chooseLane(request: Request, order: Order, call: Pick<Call, "env" | "ctx">): Lane | undefined {
  let candidate = known.get(order);
  if (candidate === undefined) {
    candidate = findCandidate(order);
    known.set(order, candidate);
  }
  if (candidate === null || candidate.isUnfit) return undefined;
  const { lane } = candidate;
  // A WebSocket stays open, so it gains nothing.
  if (lane !== undefined) return request.headers.has("upgrade") ? undefined : lane;
  const count = ++candidate.requests;
  // The 2nd, 4th, 8th …: a target that is asked once needs none, and there may be none left.
  if (count > 1 && (count & (count - 1)) === 0) call.ctx.waitUntil(findLane(candidate, call.env));
  return undefined;
}

function findCandidate({ target, limits, tls }: Order): Candidate | null {
  if (target.type === "function" || target.type === "stand-in" || needsEgress(limits)) return null;
  const { connectTimeout, dnsTimeout } = limits;
  const goal: LaneGoal = { target, limits: { connectTimeout, dnsTimeout }, ...(tls && { tls }) };
  const key = JSON.stringify(goal);
  if (candidates.size >= MAX_CANDIDATES) {
    candidates = new Map();
    known = new WeakMap();
  }
  const candidate = candidates.get(key) ?? { goal, requests: 0 };
  candidates.set(key, candidate);
  return candidate;
}

/** Never rejects. */
async function findLane(candidate: Candidate, env: ServiceWorkerEnv): Promise<void> {
  const order = { op: "lane", feedId: env.FEED_ID, ...candidate.goal } as const;
  // The calls themselves report what is wrong with the proxy.
  const found = await ask<EgressLane | null>(env, order).catch(() => null);
  const service = found === null ? undefined : env[found.laneName];
  if (found === null || service === undefined || candidate.isUnfit) return;
  const abandon = (): void => {
    candidate.lane = undefined;
    candidate.isUnfit = true;
  };
  candidate.lane = { service, token: found.token, abandon };
}

/** @throws {ProxyError} if the target gave no response */
export async function fetchByLane(
  request: Request,
  { lane, ...through }: { lane: Lane; env: ServiceWorkerEnv; order: HttpOrder },
): Promise<Response> {
  const begun = Date.now();
  let received: Response;
  try {
    received = await lane.service.fetch(request, AS_SENT);
  } catch {
    return repeat(request, through, begun);
  }
  const { status, headers } = received;
  if (status === 101) throw new ProxyError("http_protocol_error", UNASKED);
  const failure = status === 502 && headers.get(LANE_TOKEN_HEADER) === lane.token ? headers.get(FAILURE_HEADER) : null;
  if (failure !== null) throw toProxyError(parseFailure(failure));
  if (isFramed(headers.get("content-length"), headers.get("transfer-encoding")) || received.body === null)
    return received;
  // Such a body is over when its connection is. A reset would look like that too, because a Unix socket can't be reset.
  lane.abandon();
  // It may have broken off already.
  await received.body.cancel().catch(() => undefined);
  return fetchThroughEgress(request, through.env, through.order);
}
