/**
 * A rule: whose calls it is for, which of them, and what happens to those. Checks what a client sends.
 */

import { PROXY_ERROR_CODES, isProxyErrorCode, type ProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
import type { Binding, Target } from "../../service-worker/routing/table.ts";
import { didYouMean } from "../diagnostics.ts";
import { type PlainAnswer, checkAnswer } from "./answer.ts";
import { type CallMatcher, type CallPattern, type RequestHead, makeMatcher } from "./call.ts";
import { parseCall } from "./parse-call.ts";
import { type Fault, INSTEAD_OF_HTTP_ONLY, isForHttpOnly, parseFault } from "./faults/fault.ts";
import { type AskedFor, type Who, parseWho } from "./who.ts";

/** As a client sends it. `functionId`: of a function that the client has registered. */
export interface RuleSpec {
  who: string;
  call?: string | CallPattern;
  /** How many calls it decides at most. Absent: all. */
  times?: number;
  /** One answer, or several that are given in turn; the last one repeats. */
  respond?: PlainAnswer | PlainAnswer[];
  fail?: ProxyErrorCode;
  /** A target as the vpc config writes it. */
  to?: unknown;
  faults?: unknown[];
  /** Answers HTTP. */
  respondBy?: string;
  /** Plays the origin's end of a connection. */
  connectBy?: string;
}

export type Effect =
  | { type: "respond"; answers: readonly PlainAnswer[] }
  | { type: "respondBy"; functionId: string }
  | { type: "fail"; code: ProxyErrorCode }
  | { type: "to"; target: Target }
  | { type: "connectBy"; functionId: string }
  | { type: "faults"; faults: readonly Fault[] };

export interface ScenarioRule {
  id: string;
  /** A newer rule has a higher one. */
  number: number;
  who: Who;
  /** As the user wrote it. */
  whoText: string;
  call: CallMatcher;
  effect: Effect;
  /** Calls that it may still decide. */
  left: number;
  /** Calls that it decided; for faults, those that it acted on. */
  decided: number;
  /** The client that made it, which ends it. */
  owner: string | undefined;
}

/** A call that waits for a verdict. */
export interface Judged {
  asked: AskedFor;
  /** Absent for TCP. */
  head?: RequestHead;
  /** Reads the whole body. Called at most once, and only if a rule compares it. */
  readBody?: () => Promise<string>;
}

const EFFECTS = ["respond", "fail", "to", "faults", "respondBy", "connectBy"] as const;
const FIELDS = ["who", "call", "times", ...EFFECTS];

export interface RuleContext {
  bindings: Iterable<Binding>;
  /** @throws {TypeError} in words if the value is no target */
  parseTarget: (value: unknown) => Target;
}

/** @throws {TypeError} that says what is wrong and what to write */
export function parseRule(
  value: unknown,
  { bindings, parseTarget }: RuleContext,
): Omit<ScenarioRule, "id" | "number" | "owner"> {
  if (typeof value !== "object" || value === null)
    throw new TypeError(`vpc: a rule is ${JSON.stringify(value)}; write an object with ${FIELDS.join(", ")}.`);
  const unknown = Object.keys(value).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown, FIELDS);
    throw new TypeError(
      `vpc: ${JSON.stringify(unknown)} is not a field of a rule. ${meant === undefined ? `Its fields: ${FIELDS.join(", ")}.` : `Did you mean ${JSON.stringify(meant)}?`}`,
    );
  }
  const spec = value as RuleSpec;
  const given = EFFECTS.filter((key) => spec[key] !== undefined);
  if (given.length !== 1) {
    throw new TypeError(
      `vpc: a rule has one of ${EFFECTS.slice(0, 4).join(", ")}; this one has ${given.length === 0 ? "none" : given.join(" and ")}.`,
    );
  }
  const { times } = spec;
  if (times !== undefined && (!Number.isInteger(times) || times < 1))
    throw new TypeError(`vpc: "times" is ${JSON.stringify(times)}; write a number of calls, at least 1.`);
  const who = parseWho(spec.who, bindings);
  const call = makeMatcher(parseCall(spec.call));
  const effect = parseEffect(spec, parseTarget);
  if (who.type === "binding") refuseForConnections({ call, effect }, who.bindingName, bindings);
  return {
    who,
    whoText: spec.who,
    call,
    effect,
    left: times ?? Infinity,
    decided: 0,
  };
}

function parseEffect(spec: RuleSpec, parseTarget: RuleContext["parseTarget"]): Effect {
  if (spec.respond !== undefined) {
    const answers = Array.isArray(spec.respond) ? spec.respond : [spec.respond];
    if (answers.length === 0) throw new TypeError("vpc: the list of answers is empty; give at least one.");
    return { type: "respond", answers: answers.map(checkAnswer) };
  }
  if (spec.fail !== undefined) return { type: "fail", code: checkCode(spec.fail) };
  if (spec.to !== undefined) return { type: "to", target: parseTarget(spec.to) };
  if (spec.faults !== undefined) return { type: "faults", faults: parseFaults(spec.faults) };
  if (spec.respondBy !== undefined) return { type: "respondBy", functionId: spec.respondBy };
  return { type: "connectBy", functionId: spec.connectBy ?? "" };
}

export function checkCode(code: unknown): ProxyErrorCode {
  if (typeof code === "string" && isProxyErrorCode(code)) return code;
  const meant = typeof code === "string" ? didYouMean(code, PROXY_ERROR_CODES) : undefined;
  throw new TypeError(
    `vpc: ${JSON.stringify(code)} is not an error code. ${meant === undefined ? `The codes: ${PROXY_ERROR_CODES.join(", ")}.` : `Did you mean ${JSON.stringify(meant)}?`}`,
  );
}

export function parseFaults(values: unknown): Fault[] {
  const list = Array.isArray(values) ? values : [values];
  if (list.length === 0) throw new TypeError("vpc: the list of faults is empty; give at least one.");
  return list.map((value) => {
    const fault = parseFault(value);
    if ("problem" in fault) throw new TypeError(`vpc: ${fault.problem}`);
    return fault;
  });
}

/** @throws {TypeError} if the binding takes only connect(), and the rule is about requests */
function refuseForConnections(
  { call, effect }: Pick<ScenarioRule, "call" | "effect">,
  bindingName: string,
  bindings: Iterable<Binding>,
): void {
  const meant = [...bindings].filter((binding) => binding.bindingName === bindingName);
  if (!meant.every(takesOnlyConnections)) return;
  const refuse = (what: string, instead: string): never => {
    throw new TypeError(
      `vpc: ${what} acts on fetch() only, and ${JSON.stringify(bindingName)} takes only connect(). ${instead}`,
    );
  };
  const fault = effect.type === "faults" ? effect.faults.find(isForHttpOnly) : undefined;
  if (fault !== undefined)
    refuse(`the fault ${JSON.stringify(fault.type)}`, `Use one of ${INSTEAD_OF_HTTP_ONLY.join(", ")}.`);
  if (!servesKind({ effect }, "tcp")) refuse("respond", "Use connect, fail, to or fault.");
  if (!call.isAny)
    refuse(`a rule for ${JSON.stringify(call.text)}`, "Leave the call out: the rule is for each connection.");
}

/** @returns whether no request can ever come from it */
function takesOnlyConnections(binding: Binding): boolean {
  if (binding.kind === "unlinked") return binding.bindingType === "hyperdrive";
  return binding.kind === "service" && (binding.service.type === "tcp" || binding.isHyperdrive === true);
}

/** Whether it can decide a call of this kind at all. */
export function servesKind({ effect }: Pick<ScenarioRule, "effect">, kind: "http" | "tcp"): boolean {
  switch (effect.type) {
    case "respond":
    case "respondBy":
      return kind === "http";
    case "connectBy":
      return kind === "tcp";
    case "fail":
    case "to":
    case "faults":
      return true;
    default:
      return effect satisfies never;
  }
}
