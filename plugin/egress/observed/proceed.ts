/**
 * Observed requests that lead to a Worker, or to a function of a vitest test. Only workerd reaches those, so the service
 * worker is asked to call them. Their bytes come by here on both ways, for the journal and the faults.
 *
 *   service worker ── observed ─▶ near │ faults │ far ── PROCEED_HEADER and the body ─▶ service worker ──▶ Worker
 *   service worker ◀──────────── near │ faults │ far ◀── answer ───────────────────── service worker ◀── its answer
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Readable, Writable } from "node:stream";

import {
  type EgressFailure,
  type EgressOrder,
  type EgressProceed,
  type EgressUpgraded,
  PROCEED_HEADER,
  toHeader,
} from "../../../service-worker/routing/egress-protocol.ts";
import { linkWithFaults } from "../../scenario/faults/link.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import { hasBody } from "../http/body-framing.ts";
import { sendFailure } from "../egress-error.ts";
import { hasStreamFaults } from "./faulted-connection.ts";
import { expectSocket } from "./socket-tunnel.ts";
import { awaitFaults, sendThrough } from "./late-faults.ts";
import type { ObservedExchange } from "./call.ts";
import { type EnteredRequest, watchAnswer } from "./watch-answer.ts";

interface Proceeding extends EnteredRequest {
  scenario: Scenario;
  /** Absent: no fault acts on the bytes. */
  link?: [near: Duplex, far: Duplex];
  /** Tells the order that watches the caller that it need not any more. */
  unwatch?: () => void;
}

/** Calls whose Worker has not answered yet, by exchange id, oldest first. */
const proceeding = new Map<string, Proceeding>();

/** Nobody may say when a caller gives up at once, so the oldest are forgotten. */
const MAX_PROCEEDING = 10_000;

/** Sends the request back to the service worker, as the faults let it through. */
export function proceedWithRequest(
  { incoming, outgoing, exchangeId, call, scenario }: ObservedExchange,
  entered: EnteredRequest,
  to: EgressProceed["to"],
): void {
  const { open } = entered;
  const link = hasStreamFaults(open)
    ? linkWithFaults({ live: open, random: scenario.random, onBreak() {} })
    : undefined;
  const { entry, startedAt, watch } = entered;
  proceeding.set(exchangeId, { scenario, entry, open, startedAt, watch, ...(link && { link }) });
  for (const [oldest, forgotten] of proceeding) {
    if (proceeding.size <= MAX_PROCEEDING) break;
    proceeding.delete(oldest);
    forgotten.open.close();
  }
  // A kept connection's next request is not for this body.
  const header = toHeader({ to, limits: call.limits } satisfies EgressProceed);
  outgoing.writeHead(200, { [PROCEED_HEADER]: header });
  if (!hasBody(incoming)) {
    outgoing.end();
    return;
  }
  outgoing.write(new Uint8Array());
  if (link === undefined) return pass(incoming, outgoing, () => outgoing.destroy());
  const [near, far] = link;
  incoming.pipe(near);
  incoming.once("error", () => near.destroy());
  pass(far, outgoing, () => outgoing.destroy());
}

/** Carries out a `presence` order: if it breaks off, the caller has given up, and the call is over. */
export function watchCaller(exchangeId: string, outgoing: ServerResponse): void {
  const known = proceeding.get(exchangeId);
  const unwatch = (): void => void outgoing.writeHead(200, { "Content-Length": 4 }).end("null");
  if (known === undefined) return unwatch();
  known.unwatch = unwatch;
  outgoing.once("close", () => {
    if (proceeding.get(exchangeId) !== known) return;
    proceeding.delete(exchangeId);
    end(known);
    known.open.close();
  });
}

function takeProceeding(exchangeId: string): Proceeding | undefined {
  const known = proceeding.get(exchangeId);
  proceeding.delete(exchangeId);
  known?.unwatch?.();
  return known;
}

/** There is no answer, or none that could pass through here. */
function end({ entry, startedAt, link, scenario }: Proceeding): void {
  entry.duration = performance.now() - startedAt;
  entry.responseBody.end();
  link?.[0].destroy();
  scenario.journal.note(entry);
}

/** Carries out an `answer` order: the caller gets the Worker's answer as the faults let it through. */
export function answerProceeding(
  { exchangeId, answer: { status, statusText, fields } }: EgressOrder & { op: "answer" },
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const known = takeProceeding(exchangeId);
  if (known === undefined)
    return sendFailure(outgoing, { code: "connection_terminated", detail: "the call was ended" });
  const { open, link, scenario } = known;
  watchAnswer(outgoing, { ...known, exchangeId });
  const fail = (failure: EgressFailure): void => sendFailure(outgoing, failure);
  open.onEnd(fail);
  const faulted = { open, random: scenario.random };
  if (link === undefined) awaitFaults(outgoing, { ...faulted, isAnswer: () => true });
  // The faults act on the bytes of a whole answer, as on a real connection.
  else sendThrough(link, outgoing);
  outgoing.writeHead(status, statusText, fields.flat());
  outgoing.write(new Uint8Array());
  pass(incoming, outgoing, () => fail({ code: "http_response_incomplete", detail: "the Worker's body broke off" }));
}

/** Carries out an `outcome` order: there is no answer that could pass through here, but perhaps a WebSocket's messages. */
export function endProceeding({ exchangeId, outcome }: EgressOrder & { op: "outcome" }): EgressUpgraded {
  const known = takeProceeding(exchangeId);
  if (known === undefined) return { mustPassThrough: false };
  const { entry, open, scenario, watch } = known;
  watch?.mark("answered");
  if (outcome.type === "upgraded") entry.status = 101;
  else
    Object.assign(
      entry,
      outcome.type === "threw"
        ? { reason: outcome.text }
        : { code: outcome.failure.code, reason: outcome.failure.detail },
    );
  end(known);
  // Faults may come at any time.
  const mustPassThrough = outcome.type === "upgraded";
  if (mustPassThrough) expectSocket(exchangeId, { open, random: scenario.random });
  else open.close();
  return { mustPassThrough };
}

function pass(from: Readable, to: Writable, broken: () => void): void {
  from.once("error", broken);
  from.once("close", () => {
    if (!from.readableEnded) broken();
  });
  from.pipe(to);
}
