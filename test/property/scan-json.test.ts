/** The scanner of recordings against JSON.parse: the same texts are JSON, and what it keeps is what is there. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonPath, JsonProblem, JsonScanner } from "../../plugin/recordings/scan-json.ts";

/** @returns each value that was kept, by its path; undefined if the text is not JSON */
function scan(
  bytes: Buffer,
  { cuts, keepDepth }: { cuts: readonly number[]; keepDepth: number },
): Map<string, unknown> | undefined {
  const kept = new Map<string, unknown>();
  const scanner = new JsonScanner({
    begin: (path: JsonPath) => (path.length === keepDepth ? "keep" : path.length < keepDepth ? "enter" : "skip"),
    end(path, { bytes: own, start, end }) {
      expect(start).toBeLessThan(end);
      if (own === undefined) return;
      expect(own.equals(bytes.subarray(start, end))).toBe(true);
      kept.set(JSON.stringify(path), JSON.parse(own.toString()));
    },
  });
  try {
    const places = [0, ...new Set(cuts.map((cut) => cut % (bytes.length + 1))), bytes.length].toSorted((a, b) => a - b);
    for (const [index, place] of places.entries()) scanner.write(bytes.subarray(place, places[index + 1] ?? place));
    scanner.end();
    return kept;
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    if (error.offset > bytes.length) throw new Error("the place is behind the text", { cause: error });
    return undefined;
  }
}

/** @returns the values at a depth, by their path, as a recursion over the parsed text finds them */
function valuesAt(value: unknown, depth: number, path: JsonPath = []): [string, unknown][] {
  if (depth === 0) return [[JSON.stringify(path), value]];
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, each]) => valuesAt(each, depth - 1, [...path, key]));
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

const cuts = fc.array(fc.nat(500), { maxLength: 6 });
const keepDepth = fc.nat(3);

test("values that are kept are those of the text, wherever it is cut", () => {
  const spaces = fc.constantFrom(undefined, 1, "\t", "\r\n ");
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), spaces, cuts, keepDepth, (value, space, at, depth) => {
      const text = JSON.stringify(value, null, space);
      const found = scan(Buffer.from(text), { cuts: at, keepDepth: depth });
      expect(found).toEqual(new Map(valuesAt(JSON.parse(text), depth)));
    }),
    { numRuns: 500 },
  );
});

test("a text with a mistake is refused, and only such a text", () => {
  const piece = fc.constantFrom(
    ...Array.from('{}[],:"\\ \n0123456789-+.eEtrufalsn'),
    '"a"',
    "true",
    "null",
    "\\u00e9",
    "1.5e3",
    "é",
    "\u0000",
  );
  const garbage = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  const damaged = fc
    .tuple(fc.json(), fc.nat(200), fc.nat(3), piece)
    .map(([text, at, length, inserted]) => text.slice(0, at) + inserted + text.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(garbage, damaged), cuts, keepDepth, (text, at, depth) => {
      const found = scan(Buffer.from(text), { cuts: at, keepDepth: depth });
      expect([text, found !== undefined]).toEqual([text, parse(text.toWellFormed()) !== undefined]);
    }),
    { numRuns: 2000 },
  );
});
