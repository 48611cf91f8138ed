/**
 * Compares JSON as a subset: an object may have more fields than wanted, at any depth. A list must have the same length.
 */

/** A wanted value, taken apart once for many comparisons. */
export interface JsonSubset {
  /** Where it is, such as `user.roles[0]`; empty: the whole body. */
  at: string;
  wanted: unknown;
  parts: [key: string, part: JsonSubset][];
}

export function makeSubset(wanted: unknown, at = ""): JsonSubset {
  const placeOf = (key: string): string => (Array.isArray(wanted) ? `${at}[${key}]` : at === "" ? key : `${at}.${key}`);
  const entries = typeof wanted === "object" && wanted !== null ? Object.entries(wanted) : [];
  return { at, wanted, parts: entries.map(([key, value]) => [key, makeSubset(value, placeOf(key))]) };
}

export function isSubset(subset: JsonSubset, got: unknown): boolean {
  return hasShape(subset, got) && subset.parts.every(([key, part]) => isSubset(part, partOf(got, key)));
}

/** @returns what differs, as sentences */
export function describeSubset(subset: JsonSubset, got: unknown): string[] {
  return findDifferences(subset, got).map(
    ({ at, difference }) => `the JSON body${at === "" ? "" : `'s ${at}`} ${difference}`,
  );
}

export interface JsonDifference {
  /** As in `JsonSubset`. */
  at: string;
  /** In words: `is 5, not 1`. */
  difference: string;
}

export function findDifferences(subset: JsonSubset, got: unknown): JsonDifference[] {
  if (hasShape(subset, got)) return subset.parts.flatMap(([key, part]) => findDifferences(part, partOf(got, key)));
  const { at, wanted } = subset;
  if (Array.isArray(wanted) && Array.isArray(got))
    return [{ at, difference: `has ${got.length} items, not ${wanted.length}` }];
  const found = shorten(JSON.stringify(got) ?? "missing");
  return [{ at, difference: `is ${found}, not ${shorten(JSON.stringify(wanted))}` }];
}

/** Apart from its parts. */
function hasShape({ wanted }: JsonSubset, got: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return Object.is(got, wanted);
  if (typeof got !== "object" || got === null) return false;
  return Array.isArray(wanted) ? Array.isArray(got) && got.length === wanted.length : !Array.isArray(got);
}

function partOf(got: unknown, key: string): unknown {
  return Object.hasOwn(got as object, key) ? (got as Record<string, unknown>)[key] : undefined;
}

const MAX_SHOWN = 200;

export function shorten(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
