/** Edits of a vpc.jsonc keep comments, order and layout. */

import { parse } from "jsonc-parser";
import { expect, test } from "vitest";

import { addEntries, removeEntry, setValues } from "../../plugin/import/edit-jsonc.ts";

const COMMENTED = `{
  // the services
  "services": {
    // first
    "a": "x", // why a

    /* second */
    "b": { "q": 1, /* of r */ "r": 2 } // last
    // and no more
  },
}
`;

const cases: [title: string, edit: (text: string) => string, before: string, after: string][] = [
  [
    "adds after the last entry, whose comment stays with it",
    (text) =>
      addEntries(
        text,
        ["services"],
        [
          ["c", { z: 1 }],
          ["d", [1, "2"]],
        ],
      ),
    COMMENTED,
    COMMENTED.replace('"r": 2 } // last', '"r": 2 }, // last\n    "c": { "z": 1 },\n    "d": [1, "2"]'),
  ],
  [
    "keeps a trailing comma",
    (text) => addEntries(text, [], [["networks", {}]]),
    COMMENTED,
    COMMENTED.replace("  },\n}", '  },\n  "networks": {},\n}'),
  ],
  [
    "keeps an object on one line",
    (text) => addEntries(text, ["services", "b"], [["s", null]]),
    COMMENTED,
    COMMENTED.replace('"r": 2 }', '"r": 2, "s": null }'),
  ],
  [
    "fills an empty object",
    (text) => addEntries(text, ["services"], [["a", 1]]),
    '{ "services": {} }',
    '{ "services": {\n  "a": 1\n} }',
  ],
  [
    "fills an object that has only comments, with the file's own indentation and line endings",
    (text) =>
      addEntries(
        text,
        ["services"],
        [
          ["a", { b: "x".repeat(100) }],
          ["c", 2],
        ],
      ),
    '{\r\n\t"services": {\r\n\t\t// none yet\r\n\t}\r\n}',
    `{\r\n\t"services": {\r\n\t\t// none yet\r\n\t\t"a": {\r\n\t\t\t"b": "${"x".repeat(100)}"\r\n\t\t},\r\n\t\t"c": 2\r\n\t}\r\n}`,
  ],
  [
    "ignores commas in comments and strings",
    (text) => addEntries(text, [], [["c", 3]]),
    '{\n  "a": 1, // , one\n  "b": ",," /* , two */ // three,\n}',
    '{\n  "a": 1, // , one\n  "b": ",,", /* , two */ // three,\n  "c": 3\n}',
  ],
  [
    "replaces a value, and nothing around it",
    (text) => setValues(text, [{ path: ["services", "b", "q"], value: { deep: true } }]),
    COMMENTED,
    COMMENTED.replace('"q": 1,', '"q": { "deep": true },'),
  ],
  [
    "adds a missing key",
    (text) => setValues(text, [{ path: ["services", "b", "s"], value: 3 }]),
    COMMENTED,
    COMMENTED.replace('"r": 2 }', '"r": 2, "s": 3 }'),
  ],
  [
    "replaces several and adds one, in any order",
    (text) =>
      setValues(text, [
        { path: ["a"], value: "longer" },
        { path: ["d"], value: 4 },
        { path: ["c"], value: [] },
        { path: ["b"], value: 0 },
      ]),
    '{\n  "b": 22, // two\n  "a": 1, "c": 333 // three\n}',
    '{\n  "b": 0, // two\n  "a": "longer", "c": [], // three\n  "d": 4\n}',
  ],
  [
    "removes one of several keys on a line",
    (text) => removeEntry(text, ["services", "b", "q"]),
    COMMENTED,
    COMMENTED.replace('"q": 1, /*', "/*"),
  ],
  [
    "removes the last of several keys on a line, and the comma before it",
    (text) => removeEntry(text, ["services", "b", "r"]),
    COMMENTED,
    COMMENTED.replace('"q": 1, /* of r */ "r": 2 }', '"q": 1 /* of r */ }'),
  ],
  [
    "removes a line",
    (text) => removeEntry(text, ["b"]),
    '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}',
    '{\n  "a": 1,\n  "c": 3\n}',
  ],
  [
    "removes the last line, and the comma before it",
    (text) => removeEntry(text, ["b"]),
    '{\r\n  "a": 1, // one\r\n  "b": 2\r\n}',
    '{\r\n  "a": 1 // one\r\n}',
  ],
  ["removes the only key", (text) => removeEntry(text, ["a"]), '{ "a": 1 }', "{ }"],
  ["ignores a key that doesn't exist", (text) => removeEntry(text, ["x", "y"]), COMMENTED, COMMENTED],
];

test.each(cases)("%s", (_, edit, before, after) => {
  const edited = edit(before);
  expect(edited).toBe(after);
  const errors: unknown[] = [];
  parse(edited, errors as never[], { allowTrailingComma: true });
  expect(errors).toEqual([]);
});
