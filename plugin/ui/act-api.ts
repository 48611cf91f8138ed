/**
 * What the page does with a call, and to the network. Whatever it changes is a rule like that of a test.
 *
 *   GET  api/calls/{id}/{curl|test|har}   the call as text to copy, or as a file
 *   POST api/calls/{id}/again             sends it again, with the changes of a RepeatRequest
 *   POST api/calls/{id}/stand-in          from now on, a rule answers so
 *   POST api/calls/{id}/deny              from now on, a rule refuses what its route leads to
 */

import { type ProxyErrorCode, isProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
import type { Binding } from "../../service-worker/routing/table.ts";
import type { ControlAnswer, ControlRequest } from "../control/control-request.ts";
import { parseDestination } from "../parse/parse-destination.ts";
import type { Har } from "../recordings/har.ts";
import { makeJournalHar } from "../recordings/journal-har.ts";
import { runCommand } from "../scenario/commands.ts";
import type { JournalEntry } from "../scenario/journal.ts";
import type { RuleSpec } from "../scenario/rule.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { answerOf, callOf, whoOf } from "./act/answer-of-call.ts";
import { copyAsCurl } from "./act/copy-as-curl.ts";
import { copyAsTest } from "./act/copy-as-test.ts";
import { refused } from "./act/refused.ts";
import { repeatEntry } from "./act/repeat.ts";
import { PAGE } from "./in-force.ts";
import type { Observation } from "./observation.ts";

/** What `deny` in a vpc config means, too. */
const DENIED = "destination_ip_prohibited";

export interface CallToActOn {
  entry: JournalEntry;
  /** The end of the path. */
  act: string;
  observation: Pick<Observation, "tableOf">;
}

/** @returns undefined if there is no such thing to do */
export async function actOnCall(
  { scenario, method, readJson }: ControlRequest,
  { entry, act, observation }: CallToActOn,
): Promise<ControlAnswer | undefined> {
  const table = observation.tableOf(entry);
  const binding = table.bindings[entry.asked.bindingId];
  switch (`${method} ${act}`) {
    case "GET curl":
      if (entry.type === "connection") throw refused("curl speaks HTTP, and this is a connection.");
      return { status: 200, json: copyAsCurl(entry, { table, rules: scenario.rules }) };
    case "GET test":
      return { status: 200, json: copyAsTest(entry, binding) };
    case "GET har":
      return { status: 200, json: harOf(scenario, entry) };
    case "POST again":
      return { status: 202, json: { id: await repeatEntry(scenario, entry, await readJson()) } };
    case "POST stand-in":
      return addRule(scenario, standInFor(entry, whoOf(entry, binding)));
    case "POST deny":
      return addRule(scenario, { who: routeOf(entry, binding), fail: DENIED });
    default:
      return undefined;
  }
}

/** A rule that does once more what happened to the call. */
function standInFor(entry: JournalEntry, who: string): RuleSpec {
  const call = entry.type === "request" ? { call: callOf(entry) } : {};
  if (isCode(entry.code)) return { who, ...call, fail: entry.code };
  if (entry.type === "request") return { who, ...call, respond: answerOf(entry) };
  throw refused("a rule answers HTTP. A test can play the other end of a connection: copy it as a test.");
}

function isCode(code: string | undefined): code is ProxyErrorCode {
  return code !== undefined && isProxyErrorCode(code);
}

async function addRule(scenario: Scenario, rule: RuleSpec): Promise<ControlAnswer> {
  return { status: 201, json: await runCommand(scenario, { do: "addRule", rule, owner: PAGE }) };
}

/** The route as the vpc config writes it; for a service, its binding. */
function routeOf(entry: JournalEntry, binding: Binding | undefined): string {
  if (entry.isRefused === true && entry.route === undefined)
    throw refused("the vpc config has no route for it, so it is refused already.");
  const { route } = entry;
  const isDestination = route !== undefined && binding?.kind !== "service" && !("problem" in parseDestination(route));
  return isDestination ? route : whoOf(entry, binding);
}

function harOf(scenario: Scenario, entry: JournalEntry): Har {
  const har = makeJournalHar(scenario, [entry], []);
  if (har.log.entries.length === 0)
    throw refused("a HAR file has whole HTTP calls only: none that failed, goes on, or is a connection.");
  return har;
}
