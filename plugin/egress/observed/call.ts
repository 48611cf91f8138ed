/**
 * What observed requests and connections have in common.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { placeTarget } from "../../../service-worker/routing/decide.ts";
import { formatTarget } from "../../../service-worker/routing/forward-target.ts";
import type { EgressFailure, ObservedCall } from "../../../service-worker/routing/egress-protocol.ts";
import type { RoutedCall } from "../../../service-worker/routing/transport.ts";
import type { Binding, Target } from "../../../service-worker/routing/table.ts";
import type { Fault } from "../../scenario/faults/fault.ts";
import type { OpenCall } from "../../scenario/open-call.ts";
import type { EntryStart, JournalEntry } from "../../scenario/journal.ts";
import type { Scenario, Verdict } from "../../scenario/scenario.ts";
import { askedOf } from "../../scenario/who.ts";
import type { VpcFunctionTarget } from "../../config.ts";
import type { StandIn } from "../../stand-ins/stand-in.ts";
import type { Registry } from "../registry.ts";

/** An observed request that is under way. */
export interface ObservedExchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  upgrade: Duplex | undefined;
  call: ObservedCall;
  exchangeId: string;
  scenario: Scenario;
  functions: Registry<VpcFunctionTarget>;
  standIns: Registry<StandIn>;
}

/** @throws {Error} if an edit has taken the binding away */
export function bindingOf({ context }: Scenario, { bindingId }: ObservedCall): Binding {
  const binding = context.table.bindings[bindingId];
  if (binding === undefined) throw new Error(`no binding ${JSON.stringify(bindingId)} in the table`);
  return binding;
}

/** What the journal keeps of a request and of a connection alike when it begins. */
export function beginEntry(scenario: Scenario, call: ObservedCall): EntryStart {
  const binding = bindingOf(scenario, call);
  return {
    id: scenario.journal.nextId(),
    asked: askedOf(binding, call.bindingId, { ...call.destination, rule: call.rule }),
    binding: binding.bindingName,
    worker: binding.workerName,
    startedAt: Date.now(),
    ...(call.rule && { route: call.rule.text }),
    ...(call.targetText !== undefined && { target: call.targetText }),
    ...(call.repeatId !== undefined && { repeatId: call.repeatId }),
  };
}

export function noteFailure(entry: JournalEntry, { code, detail, nearest }: EgressFailure): void {
  Object.assign(entry, { code, reason: detail, ...(nearest !== undefined && { nearest, isRefused: true }) });
}

interface Judgement {
  verdict: Verdict;
  entry: JournalEntry;
  open: OpenCall;
}

export function noteVerdict(
  { scenario, call, exchangeId }: Pick<ObservedExchange, "scenario" | "call" | "exchangeId">,
  { verdict, entry, open }: Judgement,
): void {
  const rule = verdict.type === "as-configured" ? undefined : verdict.rule;
  const target = targetOf(verdict, { entry, call });
  const faults = actingFaults(open, { verdict, call });
  const fault = faults.find(isFailing);
  const isRefused = verdict.type === "fail" && rule === undefined;
  entry.goal = {
    hits: isRefused ? new Set(faults.map(({ type }) => type)) : open.hits,
    isRuled:
      rule !== undefined ||
      (isRefused && scenario.isStrict) ||
      (fault !== undefined && call.faults?.includes(fault) !== true),
    ...(rule && { rule }),
    ...(target !== undefined && { target }),
  };
  scenario.goals.keep(exchangeId, entry.goal);
  if (verdict.type === "as-configured") return;
  if (rule !== undefined) {
    entry.rule = rule.id;
    if (verdict.type !== "fail") entry.target = target ?? "rule";
    open.ruled();
    return;
  }
  if (verdict.type !== "fail") return;
  entry.isRefused = true;
  if (verdict.nearest !== undefined) entry.nearest = verdict.nearest;
}

/** @returns undefined if a rule answers, or if it is refused */
function targetOf(verdict: Verdict, { entry, call }: { entry: JournalEntry; call: ObservedCall }): string | undefined {
  if (verdict.type === "as-configured") return entry.target;
  if (verdict.type !== "to") return undefined;
  const to = placeTarget(verdict.target, call.destination);
  return to.type === "deny" ? undefined : formatTarget(to);
}

/** A stand-in has no answer, so what it stands in for is asked. */
export function noteFallback(
  entry: JournalEntry,
  { scenario, exchangeId, call }: Pick<ObservedExchange, "scenario" | "exchangeId" | "call">,
  target: Target,
): void {
  const to = placeTarget(target, call.destination);
  if (to.type === "deny") return;
  entry.target = formatTarget(to);
  scenario.goals.turn(exchangeId, entry.target);
}

/** The part of a binding that `httpWayOf` and `tcpWayOf` read. */
export function linkOf(binding: Binding): RoutedCall["binding"] {
  return binding.kind === "unlinked" ? {} : binding;
}

/** What is refused reaches nothing that a fault of the vpc config could act on; a fault of the test is the test's own word. */
export function actingFaults(
  { faults }: Pick<OpenCall, "faults">,
  { verdict, call }: { verdict: Verdict; call: ObservedCall },
): readonly Fault[] {
  const isRefused = verdict.type === "fail" && verdict.rule === undefined;
  return isRefused ? faults.filter((fault) => call.faults?.includes(fault) !== true) : faults;
}

/** Of the faults that answer in place of the target, the first. */
export function failureOfFaults(faults: readonly Fault[]): EgressFailure | undefined {
  const fault = faults.find(isFailing);
  if (fault === undefined) return undefined;
  const code = fault.type === "down" ? "connection_refused" : fault.attributes.code;
  return { code, detail: `the fault "${fault.type}" is in force`, hint: REMOVE };
}

function isFailing(fault: Fault): fault is Fault & { type: "down" | "failure" } {
  return fault.type === "down" || fault.type === "failure";
}

const REMOVE = "Remove the fault to reach the target.";
