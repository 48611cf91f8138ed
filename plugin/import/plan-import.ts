/**
 * Plans an import: the key for each record, and the fields that differ from the existing entry. Pure. Never touches
 * the user's own keys, above all `target`.
 */

import { type VpcBinding, entryKey, isUuid } from "../model.ts";
import { isPlainObject } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { type ImportedRecord, RECORD_FIELDS } from "./record.ts";

export type PlannedRecord = { record: ImportedRecord; key: string } & (
  | { kind: "added"; value: Record<string, unknown>; hint?: "binding-by-name" | "no-service-id" }
  | { kind: "changed"; edits: Edit[] }
  | { kind: "same" }
  /** The entry is "remote", so it has no place for a record. */
  | { kind: "remote" }
);

export interface Edit {
  path: Path;
  before: unknown;
  /** Undefined if the key is removed. */
  after: unknown;
}

export interface ImportContext {
  /** The "services" of the existing vpc config. */
  services: Record<string, unknown>;
  /** The bindings of all environments. */
  bindings: readonly VpcBinding[];
}

/** @param records if two have the same id, the last one wins, unless it is incomplete and the other is complete */
export function planImport(records: readonly ImportedRecord[], { services, bindings }: ImportContext): PlannedRecord[] {
  const keys = new Map(Object.keys(services).map((key) => [entryKey(key), key]));
  const plan = new Map<string, PlannedRecord>();
  for (const record of records) {
    const planned = planRecord(record, { services, bindings, keys });
    const earlier = plan.get(entryKey(planned.key));
    if (earlier?.record.isComplete && !record.isComplete) continue;
    plan.set(entryKey(planned.key), planned);
  }
  return [...plan.values()];
}

interface Planning extends ImportContext {
  /** Keys of "services" by `entryKey`. */
  keys: ReadonlyMap<string, string>;
}

function planRecord(record: ImportedRecord, context: Planning): PlannedRecord {
  const found = findKey(record, context);
  const { key } = found;
  if (!found.isPresent) {
    return { kind: "added", record, key, value: record.fields, ...(found.hint !== undefined && { hint: found.hint }) };
  }
  const existing = context.services[key];
  if (existing === "remote") return { kind: "remote", record, key };
  const at = ["services", key];
  if (!isPlainObject(existing) || !("target" in existing || "host" in existing)) {
    // The entry is a shorthand for a target.
    const after = { ...record.fields, target: existing };
    return { kind: "changed", record, key, edits: [{ path: at, before: existing, after }] };
  }
  const edits: Edit[] = [];
  for (const field of RECORD_FIELDS) {
    const compared = { path: [...at, field], before: existing[field], after: record.fields[field] };
    edits.push(...difference({ ...compared, mayRemove: record.isComplete }));
  }
  return edits.length === 0 ? { kind: "same", record, key } : { kind: "changed", record, key, edits };
}

type Found =
  | { key: string; isPresent: true }
  | { key: string; isPresent: false; hint?: "binding-by-name" | "no-service-id" };

function findKey({ serviceId, label, aliases }: ImportedRecord, { services, bindings, keys }: Planning): Found {
  const present = (wanted: string): string | undefined => keys.get(entryKey(wanted));
  const underId = (id: string): string | undefined => {
    const names = bindings.filter(
      (binding) => binding.bindingType === "vpc-service" && entryKey(binding.id) === entryKey(id),
    );
    return present(id) ?? names.map(({ bindingName }) => present(bindingName)).find((key) => key !== undefined);
  };
  if (serviceId !== undefined) {
    const key = underId(serviceId);
    return key === undefined ? { key: serviceId, isPresent: false } : { key, isPresent: true };
  }
  const named = Object.entries(services).find(([, entry]) => isPlainObject(entry) && entry["name"] === label);
  if (named !== undefined) return { key: named[0], isPresent: true };
  const words = new Set([label, ...aliases].map(wordsOf));
  const ids = new Set(
    bindings
      .filter(({ bindingType, bindingName }) => bindingType === "vpc-service" && words.has(wordsOf(bindingName)))
      .map(({ id }) => id),
  );
  const [id, ...others] = ids;
  if (id === undefined || others.length > 0) {
    const key = present(label);
    return key === undefined ? { key: label, isPresent: false, hint: "no-service-id" } : { key, isPresent: true };
  }
  const key = underId(id);
  return key === undefined ? { key: id, isPresent: false, hint: "binding-by-name" } : { key, isPresent: true };
}

/** `USERS_API`, `users-api` and `usersApi` are the same words. */
function wordsOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}

interface Compared {
  path: Path;
  before: unknown;
  after: unknown;
  /** Whether a field that is missing in `after` is removed. */
  mayRemove: boolean;
}

function* difference({ path, before, after, mayRemove }: Compared): Generator<Edit> {
  if (after === undefined) {
    if (mayRemove && before !== undefined && before !== null) yield { path, before, after };
    return;
  }
  if (isPlainObject(before) && isPlainObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* difference({ path: [...path, key], before: before[key], after: after[key], mayRemove });
    }
    return;
  }
  if (!isSame(before, after)) yield { path, before, after };
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === "string" && typeof b === "string" && isUuid(a)) return entryKey(a) === entryKey(b);
  return JSON.stringify(a) === JSON.stringify(b);
}
