/**
 * The scenarios of the sessions in this process, for clients that find them by an id, or by the object that an adapter
 * has returned.
 */

import { setTimeout } from "node:timers/promises";

import type { ScenarioCommand } from "./commands.ts";
import type { RuleFunction } from "./rule-function.ts";
import type { Scenario } from "./scenario.ts";

export interface RunningScenario {
  /** @throws {TypeError} that says what is wrong with the command */
  run(command: ScenarioCommand): Promise<unknown>;
  functions: Map<string, RuleFunction>;
  /** For an instance that follows this one. */
  scenario: Scenario;
}

/** Kept on the process, because a bundler may give a test its own copy of this module. */
const KEY = Symbol.for("miniflare-vpc.scenarios");

interface Kept {
  /** By their ids. */
  scenarios: Map<string, RunningScenario>;
  /** The ids of those that belong to what an adapter has returned. */
  holders: WeakMap<object, string>;
}

function kept(): Kept {
  const holder = globalThis as { [KEY]?: Kept };
  return (holder[KEY] ??= { scenarios: new Map(), holders: new WeakMap() });
}

/** @returns a function that forgets it */
export function keepRunning(ids: readonly string[], scenario: RunningScenario): () => void {
  for (const id of ids) kept().scenarios.set(id, scenario);
  return () => {
    for (const id of ids) if (kept().scenarios.get(id) === scenario) kept().scenarios.delete(id);
  };
}

export function findRunning(id: string): RunningScenario | undefined {
  return kept().scenarios.get(id);
}

/** Milliseconds. */
const START_DEADLINE = 30_000;
const POLL = 20;

/** Resolves when it runs, or after the deadline. */
export async function waitForRunning(id: string): Promise<void> {
  // Counts, because a test may have replaced the clock.
  for (let waited = 0; waited < START_DEADLINE && findRunning(id) === undefined; waited += POLL) await setTimeout(POLL);
}

/** @returns the holder */
export function rememberHolder<Holder extends object>(holder: Holder, id: string): Holder {
  kept().holders.set(holder, id);
  return holder;
}

export function scenarioIdOf(holder: object): string | undefined {
  return kept().holders.get(holder);
}
