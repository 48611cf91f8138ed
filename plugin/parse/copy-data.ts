/**
 * Copies the value of a config that is a program. Each property is read once, so that no getter or proxy can throw
 * later or return something else. Functions and objects with functions to call are not copied.
 */

import { messageOf } from "../system/error.ts";
import { type Report, isPlainObject } from "../read/document.ts";
import { isFunctionTarget } from "./parse-target.ts";

/** No field of a config is deeper. */
const MAX_DEPTH = 16;

/** @returns undefined if reading the value threw, which is reported */
export function copyData(value: unknown, report: Report): { value: unknown } | undefined {
  const copies = new Map<object, unknown>();
  /** Where `copy` is. One for all, because there can be very many places. */
  const reading: (string | number)[] = [];
  let hasThrown = false;

  function copy(original: unknown): unknown {
    const depth = reading.length;
    if (typeof original !== "object" || original === null || depth > MAX_DEPTH) return original;
    try {
      if (copies.has(original)) return copies.get(original);
      if (Array.isArray(original)) {
        const list: unknown[] = [];
        copies.set(original, list);
        for (const [index, item] of original.entries()) {
          reading.push(index);
          list.push(copy(item));
          reading.pop();
        }
        return list;
      }
      if (isFunctionTarget(original) || !isPlainObject(original)) return original;
      // Without a prototype, so that "__proto__" is a key like any other.
      const table: Record<string, unknown> = Object.create(null);
      copies.set(original, table);
      for (const key of Object.keys(original)) {
        reading[depth] = key;
        table[key] = copy(original[key]);
      }
      return table;
    } catch (error) {
      hasThrown = true;
      report({
        code: "config-threw",
        text: `the vpc config threw while it was read: ${messageOf(error)}`,
        at: [...reading],
        part: "key",
      });
      return undefined;
    } finally {
      reading.length = depth;
    }
  }

  const copied = copy(value);
  return hasThrown ? undefined : { value: copied };
}
