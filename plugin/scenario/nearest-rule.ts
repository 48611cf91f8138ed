/**
 * Finds the rule that comes nearest to a call that none matched, and says what differs.
 */

import { DISTANCE, type Difference, nearestOf } from "./nearest-call.ts";
import type { Judged, ScenarioRule } from "./rule.ts";
import { matchesWho } from "./who.ts";

/** @returns `"USERS", GET /users/:id: the method is POST, not GET`; undefined if there are no rules */
export function nearestRule(
  rules: readonly ScenarioRule[],
  judged: Pick<Judged, "asked" | "head">,
): string | undefined {
  const candidates = rules.filter(({ effect }) => effect.type !== "faults");
  return nearestOf(candidates.map((rule) => ({ text: describeRule(rule), differences: compare(rule, judged) })));
}

function compare(rule: ScenarioRule, { asked, head }: Pick<Judged, "asked" | "head">): Difference[] {
  const differences = head === undefined ? [] : rule.call.compareHead(head);
  if (!matchesWho(rule.who, asked)) {
    return [{ text: "the call is for something else", distance: DISTANCE.place }, ...differences];
  }
  if (differences.length > 0) return differences;
  return [{ text: rule.left < 1 ? "it has been used up" : "the body differs", distance: 0 }];
}

export function describeRule({ whoText, call }: ScenarioRule): string {
  return `${JSON.stringify(whoText)}, ${call.text}`;
}
