/**
 * Checks what the journal holds against what a test expects, and describes the calls that came nearest.
 */

import { setTimeout } from "node:timers/promises";

import { type CallMatcher, type CallPattern, formatCall, makeBody, makeMatcher } from "./call.ts";
import { parseCall } from "./parse-call.ts";
import type { Capture } from "./capture.ts";
import type { JournalEntry } from "./journal.ts";
import { DISTANCE, type Difference, sumOf } from "./nearest-call.ts";
import type { Scenario } from "./scenario.ts";
import { type Who, matchesWho, parseWho } from "./who.ts";

/** As a client sends it. */
export interface Expectation {
  kind: "request" | "connection";
  who: string;
  call?: string | CallPattern;
  /** More conditions of the call. */
  conditions?: CallPattern;
  /** Absent: at least once. */
  times?: number;
}

export interface Verified {
  isMet: boolean;
  /** For the failure of a matcher: what was expected and what came nearest. */
  text: string;
}

interface Wanted {
  kind: Expectation["kind"];
  who: Who;
  matcher: CallMatcher;
  text: string;
}

/** Milliseconds that the body of a call may take to end. */
const BODY_TIMEOUT = 1000;
/** Calls that a failure describes. */
const MAX_DESCRIBED = 5;

export interface VerifyOptions {
  /** The calls should not have been received; the text says so. `isMet` is the same. */
  isNot: boolean;
}

export async function verifyCalls(
  scenario: Scenario,
  expectation: Expectation,
  { isNot }: VerifyOptions,
): Promise<Verified> {
  const { times } = expectation;
  if (times !== undefined && (!Number.isInteger(times) || times < 0))
    throw new TypeError(`vpc: "times" is ${JSON.stringify(times)}; write a number of calls.`);
  const wanted = parseExpectation(scenario, expectation);
  const seen = await Promise.all(
    entriesOf(scenario, wanted.kind).map(async (entry) => ({ entry, differences: await compare(entry, wanted) })),
  );
  const found = seen.filter(({ differences }) => differences.length === 0).length;
  const isMet = times === undefined ? found > 0 : found === times;
  const wantedTimes = times === undefined ? "at least once" : count(times, "time");
  if (isNot) {
    const matching = seen.filter(({ differences }) => differences.length === 0);
    const lines = [
      `Expected ${wanted.text} ${times === undefined ? "never" : `not ${wantedTimes}`}; it was received ${count(found, "time")}${found > 0 ? ":" : "."}`,
      ...matching.slice(0, MAX_DESCRIBED).map(({ entry }) => `  ${describeEntry(entry)}`),
    ];
    return { isMet, text: [...lines, ...describeDropped(scenario)].join("\n") };
  }
  const others = seen
    .filter(({ differences }) => differences.length > 0)
    .toSorted((one, other) => sumOf(one.differences) - sumOf(other.differences))
    .slice(0, MAX_DESCRIBED);
  const lines = [
    `Expected ${wanted.text} ${wantedTimes}; it was received ${count(found, "time")}.`,
    ...(seen.length === 0 ? [`No ${wanted.kind} was made at all.`] : []),
    ...(others.length > 0 ? ["The nearest:"] : []),
    ...others.map(
      ({ entry, differences }) =>
        `  ${describeEntry(entry)}\n    ${differences.map(({ text }) => text).join("\n    ")}`,
    ),
    ...describeDropped(scenario),
  ];
  return { isMet, text: lines.join("\n") };
}

/** What was dropped may have been what was expected. */
function describeDropped({ journal: { dropped } }: Scenario): string[] {
  if (dropped === 0) return [];
  return [`${count(dropped, "older call")} no longer fit in the journal. Call vpc.reset() more often.`];
}

/** Other calls may come between them. */
export async function verifyOrder(
  scenario: Scenario,
  expectations: readonly Expectation[],
  { isNot }: VerifyOptions,
): Promise<Verified> {
  const wanted = expectations.map((expectation) => parseExpectation(scenario, expectation));
  const entries = scenario.journal.entries;
  let next = 0;
  for (const entry of entries) {
    const one = wanted[next];
    if (one === undefined) break;
    if (entry.type === one.kind && (await compare(entry, one)).length === 0) next++;
  }
  const missing = wanted[next];
  const lines = [
    missing === undefined
      ? `${isNot ? "Expected another order: all" : "All"} ${wanted.length} calls were received in this order.`
      : `Expected ${count(wanted.length, "call")} in order; number ${next + 1}, ${missing.text} did not come after the ones before it.`,
    "Received:",
    ...entries.map((entry) => `  ${describeEntry(entry)}`),
    ...describeDropped(scenario),
  ];
  return { isMet: missing === undefined, text: lines.join("\n") };
}

function parseExpectation({ context }: Scenario, { kind, who, call, conditions }: Expectation): Wanted {
  const pattern = { ...parseCall(call), ...parseCall(conditions) };
  const parsed = parseWho(who, Object.values(context.table.bindings));
  return {
    kind,
    who: parsed,
    matcher: makeMatcher(pattern),
    text:
      kind === "connection"
        ? `a connection to ${JSON.stringify(who)},`
        : `${JSON.stringify(who)}, ${formatCall(pattern)},`,
  };
}

function entriesOf({ journal }: Scenario, kind: Expectation["kind"]): JournalEntry[] {
  return journal.entries.filter(({ type }) => type === kind);
}

/** @returns what differs; empty: it is wanted */
async function compare(entry: JournalEntry, { who, matcher }: Wanted): Promise<Difference[]> {
  const other = matchesWho(who, entry.asked)
    ? []
    : [{ text: `it was for ${whereOf(entry)}`, distance: DISTANCE.place }];
  if (entry.type === "connection") return other;
  const ofHead = matcher.compareHead({
    method: entry.method,
    url: new URL(entry.url),
    headers: new Headers(entry.headers),
  });
  if (other.length + ofHead.length > 0 || !matcher.needsBody) return [...other, ...ofHead];
  return matcher.compareBody(makeBody(await textOf(entry.body)));
}

async function textOf(capture: Capture): Promise<string> {
  await Promise.race([capture.ended(), setTimeout(BODY_TIMEOUT, undefined, { ref: false })]);
  return capture.bytes.toString();
}

function describeEntry(entry: JournalEntry): string {
  const result = entry.code ?? (entry.type === "request" ? (entry.status ?? "no answer yet") : "open");
  return entry.type === "request"
    ? `${entry.binding}  ${entry.method} ${entry.url}  ${result}`
    : `${entry.binding}  connect ${entry.address}  ${result}`;
}

function whereOf(entry: JournalEntry): string {
  return entry.type === "request"
    ? `${entry.binding}, ${new URL(entry.url).host}`
    : `${entry.binding}, ${entry.address}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
