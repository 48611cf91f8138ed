/**
 * The value of a config that is a program, read once: afterwards no getter and no proxy can throw, or answer
 * differently. Functions, and objects that hold some to be called, stay what they are.
 */

import { messageOf } from "../error.ts";
import { type Report, isTable } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { isFunctionTarget } from "./parse-target.ts";

/** Nothing that counts lies deeper. */
const MAX_DEPTH = 16;

/** @returns undefined when reading it threw; that is reported then */
export function copyData(value: unknown, report: Report): { value: unknown } | undefined {
  const copies = new Map<object, unknown>();
  let hasThrown = false;

  function copy(original: unknown, at: Path): unknown {
    let reading = at;
    try {
      if (typeof original !== "object" || original === null || at.length > MAX_DEPTH) return original;
      if (copies.has(original)) return copies.get(original);
      if (Array.isArray(original)) {
        const list: unknown[] = [];
        copies.set(original, list);
        for (const [index, item] of original.entries()) list.push(copy(item, [...at, index]));
        return list;
      }
      if (isFunctionTarget(original) || !isTable(original)) return original;
      // Without a prototype, so that "__proto__" is a key like any other.
      const table: Record<string, unknown> = Object.create(null);
      copies.set(original, table);
      for (const key of Object.keys(original)) {
        reading = [...at, key];
        table[key] = copy(original[key], reading);
      }
      return table;
    } catch (error) {
      hasThrown = true;
      report({
        code: "config-threw",
        text: `the vpc config threw while it was read: ${messageOf(error)}`,
        at: reading,
        part: "key",
      });
      return undefined;
    }
  }

  const copied = copy(value, []);
  return hasThrown ? undefined : { value: copied };
}
