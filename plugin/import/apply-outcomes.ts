/**
 * The outcomes of an import → the text of the vpc config with them in it.
 */

import { isTable } from "../read/document.ts";
import { addEntries, removeEntry, setValues } from "./edit-jsonc.ts";
import type { Outcome } from "./plan-import.ts";

/** @param text of the config as it is; undefined: there is none yet. @param value what stands in it */
export function applyOutcomes(text: string | undefined, value: unknown, outcomes: readonly Outcome[]): string {
  const edits = outcomes.flatMap((outcome) => (outcome.kind === "changed" ? outcome.edits : []));
  let edited = text ?? NEW_CONFIG;
  for (const { path, after } of edits) if (after === undefined) edited = removeEntry(edited, path);
  const given = edits.flatMap(({ path, after }) => (after === undefined ? [] : [{ path, value: after }]));
  edited = setValues(edited, given);
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
