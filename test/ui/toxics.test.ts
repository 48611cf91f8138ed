/** The panel of the traffic page offers every fault that there is, with all of its attributes. */

import { expect, test } from "vitest";

import { ATTRIBUTES, parseFault } from "../../plugin/scenario/faults/fault.ts";
import { TOXICS, writeToxic } from "../../plugin/ui/app/toxics.ts";
import { parseFieldLines, formatFieldLines } from "../../plugin/ui/app/fields.ts";
import { writeLiteral } from "../../plugin/ui/act/literal.ts";

test("every type and attribute", () => {
  const offered = TOXICS.map(({ type, knobs }) => [type, knobs.map(({ attribute }) => attribute)]);
  const known = Object.entries(ATTRIBUTES).map(([type, attributes]) => [type, Object.keys(attributes)]);
  expect(offered).toEqual(known);
});

test.each(TOXICS)("$type: what the knobs say at first is a fault", (toxic) => {
  const written = writeToxic(toxic, { values: {}, stream: "upstream", toxicity: "0.5" });
  expect(parseFault(written)).toEqual({ ...written, stream: toxic.hasNoStream ? "downstream" : "upstream" });
});

test("header fields as lines", () => {
  const text = formatFieldLines([
    ["Host", "a"],
    ["X-A", "b: c"],
    ["content-length", "3"],
    ["x-empty", ""],
  ]);
  expect(text).toBe("X-A: b: c\nx-empty: ");
  expect(parseFieldLines(`${text}\n\n`)).toEqual([
    ["X-A", "b: c"],
    ["x-empty", ""],
  ]);
  expect(parseFieldLines("oops")).toContain('"oops" is no header field');
});

test.each([
  [{ a: 1, "b-c": [true, null, "x'\"\\\n"], e: {}, f: [] }],
  [JSON.parse('{"__proto__":{"x":1},"constructor":2}')],
  [{ long: "x".repeat(90), list: [{ deep: "y".repeat(90) }] }],
  ["\u2028</script>"],
])("the literal of %j is the same value", (value: unknown) => {
  // oxlint-disable-next-line typescript/no-implied-eval -- it must be code
  const read: unknown = new Function(`return ${writeLiteral(value)}`)();
  expect(JSON.stringify(read)).toBe(JSON.stringify(value));
});
