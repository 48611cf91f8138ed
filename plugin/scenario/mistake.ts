/**
 * A mistake in what a user wrote to direct the network: in a vpc config, in a test, or for the control API. Imports nothing
 * of Node, because it also runs in workerd.
 */

import { didYouMean } from "../did-you-mean.ts";
import { quote } from "../read/quote.ts";

/** What is wrong. */
export interface Mistake {
  text: string;
  /** What to type instead. */
  note?: string;
}

/** A mistake, and where it is. */
export interface PlacedMistake extends Mistake {
  /** The field, from the value that was checked. It may be missing. */
  at: readonly (string | number)[];
  /** What is wrong is its name. */
  part?: "key";
}

export interface UnknownField extends Mistake {
  key: string;
}

export function findUnknown(
  value: object,
  { known, what }: { known: readonly string[]; what: string },
): UnknownField[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({ key, text: `${quote(key)} is not ${what}`, note: suggest(key, known) }));
}

export function suggest(value: unknown, valid: readonly string[]): string {
  const meant = typeof value === "string" ? didYouMean(value, valid) : undefined;
  if (meant !== undefined) return `Did you mean ${quote(meant)}?`;
  return valid.length === 0 ? "It has none." : `Valid: ${valid.join(", ")}.`;
}

/** @param around the place of the object that has the unknown field */
export function placeUnknown(around: PlacedMistake["at"]): (found: UnknownField) => PlacedMistake {
  return ({ key, ...mistake }) => ({ ...mistake, at: [...around, key], part: "key" });
}

export function formatMistake({ text, note }: Mistake): string {
  return note === undefined ? text : `${text}. ${note}`;
}

/** @throws {TypeError} with the first of them, if there is one */
export function refuseMistakes(mistakes: readonly Mistake[]): void {
  const [first] = mistakes;
  if (first !== undefined) throw new TypeError(`vpc: ${formatMistake(first)}`);
}
