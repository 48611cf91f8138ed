/**
 * The outcomes of an import → the text of the vpc config with them in it.
 */

import { isTable } from "../read/document.ts";
import { addEntries, removeEntry, setValue } from "./edit-jsonc.ts";
import type { Outcome } from "./plan-import.ts";

/** @param text of the config as it is; undefined: there is none yet. @param value what stands in it */
export function applyOutcomes(text: string | undefined, value: unknown, outcomes: readonly Outcome[]): string {
  let edited = text ?? NEW_CONFIG;
  for (const outcome of outcomes) {
    if (outcome.kind !== "changed") continue;
    for (const { path, after } of outcome.edits) {
      edited = after === undefined ? removeEntry(edited, path) : setValue(edited, path, after);
    }
  }
  const added = outcomes.flatMap((outcome) =>
    outcome.kind === "added" ? [[outcome.key, outcome.value] as const] : [],
  );
  if (added.length > 0 && text !== undefined && !(isTable(value) && isTable(value["services"]))) {
    edited = addEntries(edited, [], [["services", {}]]);
  }
  return addEntries(edited, ["services"], added);
}

const NEW_CONFIG = `{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {}
}
`;
