/**
 * Where the calls under way went, in words for the lines of the terminal: to a target, to a rule, and the faults on the way.
 */

import type { EgressGoal } from "../../service-worker/routing/egress-protocol.ts";
import type { ScenarioRule } from "./rule.ts";

export interface Goal {
  /** Absent: a rule answered, or the call was refused. */
  target?: string;
  /** The one that decided. */
  rule?: ScenarioRule;
  /** The faults that have hit it so far, in Toxiproxy's words. */
  hits: ReadonlySet<string>;
  /** A test decided, not the vpc config. */
  isRuled: boolean;
}

/** Calls, because nobody asks about those whose binding prints no lines. */
const MAX_KEPT = 1000;

export class Goals {
  /** By exchange id, oldest first. */
  readonly #kept = new Map<string, Goal>();

  keep(exchangeId: string, goal: Goal): void {
    this.#kept.set(exchangeId, goal);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
  }

  /** Another target serves the call. */
  turn(exchangeId: string, target: string): void {
    const goal = this.#kept.get(exchangeId);
    if (goal !== undefined) this.#kept.set(exchangeId, { ...goal, target });
  }

  describe(exchangeId: string): EgressGoal | undefined {
    const goal = this.#kept.get(exchangeId);
    return goal && { text: formatGoal(goal), isRuled: goal.isRuled };
  }
}

/** `localhost:5432 (rule "db.internal:5432", fault latency)`; "" if there is nothing to say. */
export function formatGoal({ target, rule, hits }: Goal): string {
  const named = rule && nameRule(rule);
  const faults = [...hits].join(", ");
  const notes = [
    ...(target !== undefined && named !== undefined ? [named] : []),
    ...(hits.size > 0 ? [`fault${hits.size > 1 ? "s" : ""} ${faults}`] : []),
  ];
  const list = notes.join(", ");
  const where = target ?? named;
  if (where === undefined) return list;
  return list === "" ? where : `${where} (${list})`;
}

/** `rule "USERS" "GET /users/:id"`. */
export function nameRule({ whoText, call }: ScenarioRule): string {
  const who = `rule ${JSON.stringify(whoText)}`;
  return call.isAny ? who : `${who} ${JSON.stringify(call.text)}`;
}
