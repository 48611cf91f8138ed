/**
 * What a client says to a scenario, as JSON: the same for a test in workerd, one in Node, and the control server.
 */

import type { RoutingTable } from "../../service-worker/routing/table.ts";
import { makeJournalHar } from "../recordings/journal-har.ts";
import { readAnswerFile } from "./answer-file.ts";
import { type CallPattern, makeMatcher } from "./call.ts";
import { parseCall } from "./parse-call.ts";
import type { Capture } from "./capture.ts";
import { type Goal, formatGoal } from "./goals.ts";
import type { ConnectionEntry, JournalEntry, RequestEntry } from "./journal.ts";
import { describeRule } from "./nearest-rule.ts";
import type { RuleSpec, ScenarioRule } from "./rule.ts";
import type { Scenario } from "./scenario.ts";
import { type Expectation, verifyCalls, verifyOrder } from "./verify.ts";
import { matchesWho, parseWho } from "./who.ts";
import { hintAtBinding } from "./who-hint.ts";

export type ScenarioCommand =
  /** The first command of a client: from now on, calls are observed. */
  | { do: "attach" }
  /** `functionId` of a rule: registered before. */
  | { do: "addRule"; rule: RuleSpec; owner?: string }
  | { do: "removeRule"; id: string }
  /** Functions of a vitest test, which the service worker keeps. */
  | { do: "keepFunction"; id: string }
  /** They are gone, and so are their rules. */
  | { do: "dropFunctions"; ids: string[] }
  /** The bytes of a file that an answer names. */
  | { do: "file"; path: string }
  /** Removes the rules and functions of a client that is gone. */
  | { do: "leave"; owner: string }
  | { do: "requests"; who?: string; call?: string | CallPattern; rule?: string }
  | { do: "connections"; who?: string; rule?: string }
  | { do: "bytes"; entry: number; of: "body" | "responseBody" | "sent" | "received" }
  /** As a HAR file. `redact`: more names of fields that are secret. */
  | { do: "har"; who?: string; call?: string | CallPattern; redact?: string[] }
  | { do: "unmatched" }
  | { do: "unused" }
  | { do: "rules" }
  | { do: "strict" }
  | { do: "seed"; seed: number }
  | { do: "reset" }
  /** `isNot`: for the text of a failure. */
  | { do: "verify"; expectation: Expectation; isNot?: boolean }
  | { do: "verifyOrder"; expectations: Expectation[]; isNot?: boolean };

/** @returns what the command asked for, as JSON. @throws {TypeError} that says what is wrong and what to write */
export async function runCommand(scenario: Scenario, command: ScenarioCommand): Promise<unknown> {
  await scenario.observe();
  switch (command.do) {
    case "attach":
      return { bindings: Object.values(scenario.context.table.bindings).map(({ bindingName }) => bindingName) };
    case "addRule":
      return describeAdded(scenario.addRule(command.rule, command.owner), scenario.context.table);
    case "removeRule":
      return { isRemoved: scenario.removeRules(({ id }) => id === command.id) };
    case "keepFunction":
      scenario.functions.set(command.id, { type: "stub", functionId: command.id });
      return {};
    case "dropFunctions":
      return { isRemoved: dropFunctions(scenario, command.ids) };
    case "file":
      return { base64: (await readAnswerFile(scenario.context.folder, command.path)).toString("base64") };
    case "leave":
      return { isRemoved: scenario.forgetClient(command.owner) };
    case "requests":
      return listOf(scenario, findRequests(scenario, command));
    case "connections":
      return listOf(scenario, findConnections(scenario, command));
    case "bytes":
      return readBytes(scenario, command);
    case "har":
      return makeJournalHar(scenario, findRequests(scenario, { ...command, do: "requests" }), command.redact ?? []);
    case "unmatched":
      return listOf(
        scenario,
        scenario.journal.entries.filter(({ isRefused }) => isRefused === true),
      );
    case "unused":
      return scenario.rules
        .filter(({ decided }) => decided === 0)
        .map((rule) => ({ id: rule.id, text: describeRule(rule) }));
    case "rules":
      return scenario.rules.map((rule) => ({
        id: rule.id,
        text: describeRule(rule),
        who: rule.whoText,
        effect: rule.effect.type,
        ...(rule.effect.type === "faults" && { faults: rule.effect.faults }),
        decided: rule.decided,
        ...(rule.owner !== undefined && { owner: rule.owner }),
      }));
    case "strict":
      scenario.isStrict = true;
      return {};
    case "seed":
      if (!Number.isInteger(command.seed))
        throw new TypeError(`vpc.seed(): ${JSON.stringify(command.seed)} is not a whole number.`);
      scenario.seed(command.seed);
      return {};
    case "reset":
      scenario.reset();
      return {};
    case "verify":
      return verifyCalls(scenario, command.expectation, { isNot: command.isNot === true });
    case "verifyOrder":
      return verifyOrder(scenario, command.expectations, { isNot: command.isNot === true });
    default:
      command satisfies never;
      throw new TypeError(`vpc: ${JSON.stringify((command as { do: unknown }).do)} is not a command.`);
  }
}

function describeAdded({ id, who, whoText }: ScenarioRule, table: RoutingTable): { id: string; hint?: string } {
  const hint = who.type === "binding" ? undefined : hintAtBinding(whoText, table);
  return { id, ...(hint !== undefined && { hint }) };
}

function dropFunctions(scenario: Scenario, ids: readonly string[]): boolean {
  for (const id of ids) scenario.functions.delete(id);
  return scenario.removeRules(
    ({ effect }) => (effect.type === "respondBy" || effect.type === "connectBy") && ids.includes(effect.functionId),
  );
}

function findRequests(scenario: Scenario, { who, call, rule }: ScenarioCommand & { do: "requests" }): RequestEntry[] {
  const matcher = makeMatcher(parseCall(call));
  if (matcher.needsBody) throw new TypeError("vpc.requests(): a body can't be asked for; filter what it returns.");
  return entriesFor(scenario, { who, rule }).filter(
    (entry) =>
      entry.type === "request" &&
      matcher.matchHead({ method: entry.method, url: new URL(entry.url), headers: new Headers(entry.headers) }) !==
        undefined,
  ) as RequestEntry[];
}

function findConnections(scenario: Scenario, filter: ScenarioCommand & { do: "connections" }): ConnectionEntry[] {
  return entriesFor(scenario, filter).filter((entry) => entry.type === "connection");
}

function entriesFor(
  { journal, context }: Scenario,
  { who, rule }: { who?: string | undefined; rule?: string | undefined },
): JournalEntry[] {
  const parsed = who === undefined ? undefined : parseWho(who, Object.values(context.table.bindings));
  return journal.entries.filter(
    (entry) => (parsed === undefined || matchesWho(parsed, entry.asked)) && (rule === undefined || entry.rule === rule),
  );
}

/** Entries as JSON. */
export interface EntryList<Entry = Record<string, unknown>> {
  entries: Entry[];
  /** Older ones that no longer fit in the journal, of any kind. */
  dropped: number;
}

function listOf({ journal }: Scenario, entries: readonly JournalEntry[]): EntryList {
  return { entries: entries.map(toPlainEntry), dropped: journal.dropped };
}

/** Bytes of a body that an entry carries itself. */
const INLINE = 16 * 1024;

/** Of an entry, what no client gets. */
const INTERNAL = new Set(["asked", "detail", "recording"]);

/** An entry as JSON. */
export function toPlainEntry(entry: JournalEntry): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entry).flatMap(([key, value]: [string, unknown]) => {
      if (INTERNAL.has(key)) return [];
      if (key === "goal") return [[key, formatGoal(value as Goal)]];
      return [[key, isCapture(value) ? describeCapture(value) : value]];
    }),
  );
}

function isCapture(value: unknown): value is Capture {
  return typeof value === "object" && value !== null && "isTruncated" in value;
}

function describeCapture({ size, isTruncated, isEnded, kept, bytes }: Capture): unknown {
  return { size, isTruncated, ...(isEnded && kept <= INLINE && { base64: bytes.toString("base64") }) };
}

/** Waits for the end of the bytes. */
async function readBytes(
  { journal }: Scenario,
  { entry: id, of }: ScenarioCommand & { do: "bytes" },
): Promise<unknown> {
  const entry = journal.entries.find((each) => each.id === id);
  const capture: unknown = entry && Reflect.get(entry, of);
  if (!isCapture(capture)) throw new Error("the journal no longer has this call: it was reset, or is full.");
  await capture.ended();
  return { size: capture.size, isTruncated: capture.isTruncated, base64: capture.bytes.toString("base64") };
}
