/**
 * What the page knows of a session: begins with the first page that is opened, and goes on until the session ends, so
 * that a page opened later shows the calls before it. Before that, the session is as fast as without a page.
 */

import { PROXY_ERROR_CODES } from "../../service-worker/routing/error-codes.ts";
import type { RoutingTable } from "../../service-worker/routing/table.ts";
import { DEFAULT_LIMITS, type JournalEntry } from "../scenario/journal.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { viewKind } from "./network-view.ts";
import type { SessionView } from "./traffic-view.ts";

export interface Observation {
  /** A page is opened. Resolves when calls are captured. */
  begin(): Promise<void>;
  describe(): SessionView;
  /** The table that was in force when the call began. */
  tableOf(entry: JournalEntry): RoutingTable;
  end(): void;
}

export function createObservation(scenario: Scenario): Observation {
  const { journal } = scenario;
  const tables = new WeakMap<JournalEntry, RoutingTable>();
  let since: number | undefined;
  let watch: (() => void) | undefined;
  const remember = (entry: JournalEntry): void => {
    if (!tables.has(entry)) tables.set(entry, scenario.context.table);
  };
  return {
    async begin() {
      await scenario.observe();
      if (since !== undefined) return;
      since = Date.now();
      journal.changes.on("entry", remember);
      watch = journal.watchClosely({});
    },
    describe: () => ({
      observedSince: since ?? Date.now(),
      bindings: Object.values(scenario.context.table.bindings).map((binding) => ({
        binding: binding.bindingName,
        worker: binding.workerName,
        kind: viewKind(binding),
      })),
      limits: { entries: DEFAULT_LIMITS.entries, body: DEFAULT_LIMITS.body },
      codes: PROXY_ERROR_CODES,
    }),
    tableOf: (entry) => tables.get(entry) ?? scenario.context.table,
    end() {
      journal.changes.off("entry", remember);
      watch?.();
    },
  };
}
