/**
 * Calls of an observed session. The egress proxy decides what happens to each and carries it out, because the rules and
 * the journal are in Node. What only workerd reaches is called here, and its bytes pass through the egress proxy.
 *
 *   request ──▶ egress proxy ──▶ target
 *                   └─ "proceed" ─▶ Worker | function of a test ── its answer ──▶ egress proxy ──▶ caller
 */

import type { Decision, Destination } from "./routing/decide.ts";
import { ask, brokenBy, makeExchangeId, openTunnel, readEstablished, sendToEgress } from "./egress.ts";
import {
  type EgressGoal,
  type EgressOrder,
  type EgressProceed,
  type EgressUpgraded,
  type ObservedCall,
  type ObservedOutcome,
  PROCEED_HEADER,
} from "./routing/egress-protocol.ts";
import type { Call, ServiceWorkerEnv } from "./env.ts";
import { ProxyError } from "./proxy-error.ts";
import { tunnelSocket } from "./socket-tunnel.ts";
import { connectFunction, fetchFunction } from "./test/test-functions.ts";
import { describeCall, goalOf } from "./routing/observed-call.ts";
import { ThrownByTarget } from "./thrown-by-target.ts";
import { connectWorker, fetchWorker } from "./worker-target.ts";

/** An observed session's table says so. */
export function isObserved({ index }: Pick<Call, "index">): boolean {
  return index.table.isObserved === true;
}

/** For the terminal: where the call went. Never rejects. */
export async function askGoal(
  { exchangeId }: Observed,
  { decision, env }: { decision: Decision; env: ServiceWorkerEnv },
): Promise<EgressGoal> {
  const asked = ask<EgressGoal | null>(env, { op: "goal", feedId: env.FEED_ID, exchangeId });
  // If the session has ended, the line says what the table says.
  return (await asked.catch(() => null)) ?? goalOf(decision);
}

export interface Observed {
  call: ObservedCall;
  exchangeId: string;
}

/** @param url absent: a connection */
export function observe(
  decision: Decision,
  destination: Destination,
  { call, url }: { call: Call; url?: URL },
): Observed {
  const { bindingId, env, repeatId } = call;
  const described = describeCall(decision, { feedId: env.FEED_ID, bindingId, destination, repeatId, url });
  return { call: described, exchangeId: makeExchangeId() };
}

/** @throws {ProxyError}; otherwise what a Worker or a function of a test throws */
export async function fetchObserved(
  request: Request,
  { call, exchangeId }: Observed,
  { env, ctx }: Call,
): Promise<Response> {
  const response = await sendToEgress(request, env, { op: "observed", call, exchangeId });
  const proceed = response.headers.get(PROCEED_HEADER);
  if (proceed === null) return response;
  const { to, limits } = JSON.parse(proceed) as EgressProceed;
  // An event whose caller gives up ends at once, and this breaks off with it.
  void ask(env, { op: "presence", exchangeId }).catch(() => {});
  const passed = request.body === null ? request : withBody(request, response.body);
  try {
    const answer =
      to.type === "worker"
        ? await fetchWorker(passed, { to, limits, env, ctx })
        : await fetchFunction(passed, to, { env, ctx, call });
    if (answer.webSocket === null) return await passAnswer(answer, { env, exchangeId, ctx });
    const outcome = { type: "upgraded" } as const;
    const { mustPassThrough } = await ask<EgressUpgraded>(env, { op: "outcome", exchangeId, outcome });
    if (!mustPassThrough) return answer;
    const webSocket = await tunnelSocket(answer.webSocket, { env, ctx, exchangeId });
    return new Response(null, { status: 101, webSocket, headers: answer.headers });
  } catch (error) {
    await ask(env, { op: "outcome", exchangeId, outcome: outcomeOf(error) });
    throw error;
  }
}

function outcomeOf(error: unknown): ObservedOutcome {
  if (error instanceof ProxyError) return { type: "failed", failure: { code: error.code, detail: error.reason } };
  return { type: "threw", text: String(error instanceof ThrownByTarget ? error.thrown : error) };
}

/** The length that was announced is announced again. */
function withBody(request: Request, body: ReadableStream | null): Request {
  const length = request.headers.get("content-length");
  const hasLength = body !== null && length !== null && /^\d+$/.test(length);
  const init: RequestInit = { body: hasLength ? body.pipeThrough(new FixedLengthStream(Number(length))) : body };
  return new Request(request, init);
}

/** @throws {ProxyError} if a fault ends the answer before it begins */
async function passAnswer(
  answer: Response,
  { env, exchangeId }: Pick<Call, "env" | "ctx"> & { exchangeId: string },
): Promise<Response> {
  const { status, statusText, headers, body } = answer;
  const order: EgressOrder = { op: "answer", exchangeId, answer: { status, statusText, fields: [...headers] } };
  const passed = await sendToEgress(new Request("http://egress/", { method: "POST", body }), env, order);
  return new Response(body === null ? null : passed.body, { status, statusText, headers, encodeBody: "manual" });
}

/** @returns the connection to the target, as `connectThroughEgress` does */
export async function connectObserved(
  { call, exchangeId }: Observed,
  { address, env, ctx }: { address: string } & Pick<Call, "env" | "ctx">,
): Promise<{ socket: Socket; isBroken: () => Promise<boolean> }> {
  const socket = await openTunnel(env, { op: "observed-tcp", call, exchangeId });
  const { mustProceed } = await readEstablished(socket);
  if (mustProceed) {
    let failure: unknown;
    const over = proceed({ address, env, exchangeId }).catch((error: unknown) => {
      failure = error;
      return socket.close();
    });
    ctx.waitUntil(over);
    await readEstablished(socket).catch((error: unknown) => {
      throw failure ?? error;
    });
  }
  return { socket, isBroken: brokenBy(env, exchangeId) };
}

/** Joins the Worker's end, or that of a function of a test, with the egress proxy. */
async function proceed({
  address,
  env,
  exchangeId,
}: {
  address: string;
  exchangeId: string;
} & Pick<Call, "env">): Promise<void> {
  const { to, limits } = await ask<EgressProceed>(env, { op: "proceed", exchangeId });
  const called =
    to.type === "worker"
      ? connectWorker(to, { address, limits, env })
      : await connectFunction(to, { address, env, exchangeId });
  const { socket } = called;
  try {
    const tunnel = await openTunnel(env, { op: "attach", exchangeId });
    await readEstablished(tunnel);
    await Promise.all([tunnel.readable.pipeTo(socket.writable), socket.readable.pipeTo(tunnel.writable)]);
  } finally {
    called.leave?.();
  }
}
