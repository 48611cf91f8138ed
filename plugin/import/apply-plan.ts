/**
 * Writes the plan of an import into the text of a vpc config.
 */

import { isPlainObject } from "../read/document.ts";
import type { PlannedDatabase } from "./database.ts";
import { addEntries, removeEntry, setValues } from "./edit-jsonc.ts";
import type { PlannedRecord } from "./plan-import.ts";

/** @param text of the existing config, or undefined for a new one @param value of the existing config */
export function applyPlan(text: string | undefined, value: unknown, plan: readonly PlannedRecord[]): string {
  const edits = plan.flatMap((planned) => (planned.kind === "changed" ? planned.edits : []));
  let edited = text ?? NEW_CONFIG;
  for (const { path, after } of edits) if (after === undefined) edited = removeEntry(edited, path);
  const given = edits.flatMap(({ path, after }) => (after === undefined ? [] : [{ path, value: after }]));
  edited = setValues(edited, given);
  const added = plan.flatMap((planned) => (planned.kind === "added" ? [[planned.key, planned.value] as const] : []));
  if (added.length > 0 && text !== undefined && !(isPlainObject(value) && isPlainObject(value["services"]))) {
    edited = addEntries(edited, [], [["services", {}]]);
  }
  return addEntries(edited, ["services"], added);
}

/** @param text of the config, with the imported services @param value of the config before the import */
export function applyDatabases(text: string, value: unknown, plan: readonly PlannedDatabase[]): string {
  const edits = plan.flatMap((planned) => (planned.kind === "changed" ? planned.edits : []));
  const edited = setValues(
    text,
    edits.map(({ path, after }) => ({ path, value: after })),
  );
  const added = plan.flatMap((planned) => (planned.kind === "added" ? [[planned.key, planned.value] as const] : []));
  if (added.length === 0) return edited;
  const hasSection = isPlainObject(value) && isPlainObject(value["hyperdrive"]);
  return addEntries(hasSection ? edited : addEntries(edited, [], [["hyperdrive", {}]]), ["hyperdrive"], added);
}

const NEW_CONFIG = `{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {}
}
`;
