/**
 * Carries out an observed request: asks the scenario what happens to it, keeps it in the journal, and lets its faults act.
 *
 *   service worker ─▶ scenario: what happens? ─▶ fail | answer of a rule | target ── faults ── ▶
 *                          └─▶ journal ◀── what was read and written
 */

import type { IncomingMessage, ServerResponse } from "node:http";

import { type DeniedTarget, placeTarget } from "../../../service-worker/routing/decide.ts";
import {
  type EgressFailure,
  type EgressTarget,
  type EgressTls,
  type ObservedCall,
} from "../../../service-worker/routing/egress-protocol.ts";
import { type HttpWay, type RoutedCall, httpWayOf } from "../../../service-worker/routing/transport.ts";
import type { Scheme, Target } from "../../../service-worker/routing/table.ts";
import type { VpcFunctionTarget } from "../../config.ts";
import type { RequestHead } from "../../scenario/call.ts";
import { Capture } from "../../scenario/capture.ts";
import type { RequestEntry } from "../../scenario/journal.ts";
import type { OpenCall } from "../../scenario/open-call.ts";
import type { Judged } from "../../scenario/rule.ts";
import type { Verdict } from "../../scenario/scenario.ts";
import type { Fallback, StandIn } from "../../stand-ins/stand-in.ts";
import { messageOf } from "../../system/error.ts";
import { hasBody } from "../http/body-framing.ts";
import { sendFailure } from "../egress-error.ts";
import { type Answering, connectToAnswerWithFaults, connectWithFaults, hasStreamFaults } from "./faulted-connection.ts";
import { forward } from "../http/forward.ts";
import { answerByFunction } from "../http/function-target.ts";
import { awaitFaults } from "./late-faults.ts";
import { enterTarget } from "./loop-guard.ts";
import { type Field, REQUEST_PRIVATE, relayedFields } from "../http/headers.ts";
import {
  type ObservedExchange,
  beginEntry,
  bindingOf,
  actingFaults,
  failureOfFaults,
  linkOf,
  noteFallback,
  noteVerdict,
} from "./call.ts";
import { proceedWithRequest } from "./proceed.ts";
import { fieldsFor, placeOfRemote } from "./remote-function.ts";
import { readAhead } from "./replay.ts";
import { callRuleFunction, sendAnswer } from "./rule-answer.ts";
import { answerFrom, hasFallback, isAnsweredBy } from "./stand-in.ts";
import { breakOffAfter, tapIncoming, whenAnswered } from "./tap.ts";
import { type EnteredRequest, watchAnswer } from "./watch-answer.ts";
import { watchRequest } from "./watch-call.ts";

/** Never rejects. */
export async function carryOutRequest(exchange: ObservedExchange): Promise<void> {
  const { outgoing } = exchange;
  try {
    await carryOut(exchange, begin(exchange));
  } catch (error) {
    if (!outgoing.destroyed) sendFailure(outgoing, { code: "proxy_internal_error", detail: messageOf(error) });
  }
}

/** An exchange under way. */
export interface Begun extends EnteredRequest {
  head: RequestHead;
  judged: Judged;
}

function begin({ incoming, outgoing, upgrade, call, exchangeId, scenario }: ObservedExchange): Begun {
  const { journal } = scenario;
  const startedAt = performance.now();
  const fields = relayedFields(incoming.rawHeaders, REQUEST_PRIVATE);
  const url = new URL(`${call.destination.scheme}://${incoming.headers.host ?? "localhost"}${incoming.url}`);
  const method = incoming.method ?? "GET";
  const entry: RequestEntry = {
    ...beginEntry(scenario, call),
    type: "request",
    method,
    url: url.href,
    headers: fields,
    body: new Capture(),
    responseBody: new Capture(),
  };
  journal.add(entry);
  const watch = watchRequest(entry, journal);
  const head: RequestHead = { method, url, headers: new Headers(fields.filter(isPlain)) };
  const judged = { asked: entry.asked, head };
  const open = scenario.open(judged, call);
  open.onEnd((failure) => sendFailure(outgoing, failure));
  if (hasBody(incoming)) {
    tapIncoming(incoming, (chunk) => journal.capture(entry.body, chunk));
    incoming.once("close", () => entry.body.end());
  } else entry.body.end();
  const entered = { entry, open, startedAt, watch };
  watchAnswer(outgoing, { ...entered, scenario, exchangeId, upgrade });
  journal.note(entry);
  return { ...entered, head, judged };
}

/** A Headers object refuses other values. */
function isPlain([, value]: Field): boolean {
  return !/[\0\r\n]/.test(value);
}

async function carryOut(exchange: ObservedExchange, begun: Begun): Promise<void> {
  const { entry, open, judged, watch } = begun;
  const { incoming, outgoing, call, scenario } = exchange;
  let given = incoming;
  const verdict = await scenario.judge(
    {
      ...judged,
      readBody: async () => {
        const read = await readAhead(exchange, entry);
        given = read.again();
        return read.body.toString();
      },
    },
    call,
  );
  if (outgoing.destroyed) return;
  watch?.mark("decided");
  noteVerdict(exchange, { verdict, entry, open });
  const faults = actingFaults(open, { verdict, call });
  const failure = failureOfFaults(faults);
  if (failure !== undefined) return refuse({ given, outgoing }, failure);
  const status = faults.find((fault) => fault.type === "http_status");
  if (status !== undefined) return sendStatus({ given, outgoing }, status.attributes.status);
  serve({ ...exchange, incoming: given }, { ...begun, verdict });
}

/** An exchange that no target answers. Its body is read, so that the journal has it. */
interface Unserved {
  given: IncomingMessage;
  outgoing: ServerResponse;
}

function refuse({ given, outgoing }: Unserved, failure: EgressFailure): void {
  given.on("data", () => {});
  sendFailure(outgoing, failure);
}

function sendStatus({ given, outgoing }: Unserved, status: number): void {
  given.on("data", () => {});
  const length = status === 204 || status === 304 ? [] : ["Content-Length", "0"];
  outgoing.writeHead(status, "", length).end();
}

/** Its way is chosen. */
interface Served extends Begun {
  /** Whether its connection has the faults. After an upgrade, they may come at any time. */
  isFaulted: boolean;
}

function serve(exchange: ObservedExchange, { verdict, ...given }: Begun & { verdict: Verdict }): void {
  const { entry, open, head } = given;
  const { incoming, outgoing, call, scenario } = exchange;
  truncateAnswer(outgoing, open);
  const begun: Served = { ...given, isFaulted: exchange.upgrade !== undefined || hasStreamFaults(open) };
  if (!begun.isFaulted) {
    const isAnswer = (): boolean => entry.status !== undefined;
    awaitFaults(outgoing, { open, random: scenario.random, isAnswer });
  }
  switch (verdict.type) {
    case "fail":
      return refuse({ given: incoming, outgoing }, verdict.failure);
    case "answer": {
      const { answer, params } = verdict;
      if (answer.type === "stub") {
        return proceedWithRequest(exchange, begun, { type: "stub", functionId: answer.functionId, params });
      }
      if (answer.type === "remote") {
        const { functionId } = answer;
        const order = { op: "respond-by", functionId, params, binding: entry.binding, url: head.url.href } as const;
        return forwardTo(exchange, begun, {
          to: placeOfRemote(answer),
          proxy: { fields: fieldsFor(answer, order) },
        });
      }
      const { folder } = scenario.context;
      if (answer.type === "answer" && !begun.isFaulted) {
        return void sendAnswer(answer.answer, { incoming, outgoing, params, folder });
      }
      return answerByFunctionWith(
        callRuleFunction(answer, { params, binding: entry.binding, url: head.url, folder }),
        exchange,
        begun,
      );
    }
    case "to":
      return serveTarget(exchange, begun, verdict.target);
    case "as-configured": {
      const { to } = call;
      if (to === undefined) throw new Error("a refused call has no target");
      if (to.type === "worker") return proceedWithRequest(exchange, begun, to);
      return forwardTo(exchange, begun, { to: to.target, tls: to.tls });
    }
    default:
      return verdict satisfies never;
  }
}

function serveTarget(exchange: ObservedExchange, begun: Served, target: Target): void {
  const { incoming, outgoing, call, scenario } = exchange;
  const { head } = begun;
  const way = wayOfRule(target, { head, call, binding: linkOf(bindingOf(scenario, call)) });
  if (way.type === "deny")
    return refuse({ given: incoming, outgoing }, { code: way.code, detail: way.reason ?? "the rule denies it" });
  if (way.type === "worker") return proceedWithRequest(exchange, begun, way.to);
  const { target: to, tls } = way.order;
  return forwardTo(exchange, begun, { to, tls });
}

/** A stand-in without an answer asks what it stands in for. Never rejects. */
async function answerOrFallBack(
  exchange: ObservedExchange,
  begun: Served,
  { standIn, scheme }: { standIn: StandIn & { fallback: Fallback }; scheme: Scheme },
): Promise<void> {
  const { outgoing } = exchange;
  const { entry } = begun;
  try {
    const read = await readAhead(exchange, entry);
    const isAnswered = await isAnsweredBy(standIn.fallback, read, { scheme });
    if (outgoing.destroyed) return;
    const repeated = { ...exchange, incoming: read.again() };
    if (isAnswered) answerWith(answerFrom(standIn, { entry, scheme }), repeated, begun);
    else {
      noteFallback(entry, exchange, standIn.fallback.target);
      serveTarget(repeated, begun, standIn.fallback.target);
    }
  } catch (error) {
    if (!outgoing.destroyed) sendFailure(outgoing, { code: "proxy_internal_error", detail: messageOf(error) });
  }
}

interface Forwarding {
  to: EgressTarget;
  tls?: EgressTls | undefined;
  /** A function of another process. */
  proxy?: { fields: Field[] };
}

/** The fault "truncate": the answer announces its whole length and breaks off. */
function truncateAnswer(outgoing: ServerResponse, { faults }: OpenCall): void {
  const limits = faults.flatMap((fault) => (fault.type === "truncate" ? [fault.attributes.bytes] : []));
  if (limits.length === 0) return;
  breakOffAfter(outgoing, Math.min(...limits), {
    code: "http_response_incomplete",
    detail: `the fault "truncate" broke it off after ${Math.min(...limits)} bytes`,
  });
}

function forwardTo(exchange: ObservedExchange, begun: Served, { to, tls, proxy }: Forwarding): void {
  const { incoming, outgoing, upgrade, call, scenario } = exchange;
  const { entry, open, watch } = begun;
  if (to.type === "function") return answerByFunctionWith(exchange.functions.find(to.functionId), exchange, begun);
  if (to.type === "stand-in") {
    const standIn = exchange.standIns.find(to.standInId);
    if (standIn?.recorded !== undefined) {
      const { spec, target } = standIn.recorded;
      entry.recording = spec;
      noteFallback(entry, exchange, target);
      return serveTarget(exchange, begun, target);
    }
    if (standIn !== undefined && hasFallback(standIn))
      return void answerOrFallBack(exchange, begun, { standIn, scheme: to.scheme });
    return answerWith(answerFrom(standIn, { entry, scheme: to.scheme }), exchange, begun);
  }
  const { limits } = call;
  const send = (): void =>
    forward({
      incoming,
      outgoing,
      target: to,
      limits,
      watch,
      ...(tls && { tls }),
      ...(upgrade && { upgrade }),
      ...(begun.isFaulted && {
        connect: (terms) => connectWithFaults(to, { terms, limits, open, random: scenario.random, watch }),
      }),
      ...(proxy && { proxy }),
    });
  const { leave, checked } = enterTarget(to, limits.workerLimit);
  whenAnswered(outgoing, leave);
  const sendUnless = (loop: EgressFailure | undefined): void => {
    if (outgoing.destroyed) return;
    if (loop === undefined) send();
    else refuse({ given: incoming, outgoing }, loop);
  };
  if (checked === undefined) send();
  else void checked.then(sendUnless);
}

function answerByFunctionWith(target: VpcFunctionTarget | undefined, exchange: ObservedExchange, served: Served): void {
  answerWith((incoming, outgoing) => void answerByFunction(target, incoming, outgoing), exchange, served);
}

function answerWith(answer: Answering, exchange: ObservedExchange, { open, isFaulted }: Served): void {
  const { incoming, outgoing, upgrade, call, scenario } = exchange;
  if (!isFaulted) return answer(incoming, outgoing, upgrade);
  forward({
    incoming,
    outgoing,
    target: { type: "unix", path: "" },
    limits: call.limits,
    ...(upgrade && { upgrade }),
    connect: () => connectToAnswerWithFaults(answer, { open, random: scenario.random }),
    proxy: { fields: [] },
  });
}

function wayOfRule(
  target: Target,
  { head, call, binding }: { head: RequestHead; call: ObservedCall; binding: RoutedCall["binding"] },
): HttpWay | DeniedTarget {
  const { destination, limits, tls } = call;
  const to = placeTarget(target, destination);
  return to.type === "deny" ? to : httpWayOf(head.url, { to, limits, tls, binding });
}
