/** The format of diagnostics, and what counts as a typo. */

import { expect, test } from "vitest";

import { type Diagnostic, didYouMean, formatDiagnostics } from "../plugin/diagnostics.ts";

function diagnostic(text: string, overrides: Partial<Diagnostic> = {}): Diagnostic {
  return { severity: "error", code: "test", text, file: "/app/vpc.jsonc", notes: [], ...overrides };
}

function format(...diagnostics: Diagnostic[]): string[] {
  return formatDiagnostics(diagnostics, "/app").split("\n");
}

test.each([
  ["USRES", ["ORDERS", "USERS"], "USERS"],
  ["nmae", ["name", "routes"], "name"],
  ["hots", ["host", "type"], "host"],
  ["users", ["USERS"], "USERS"],
  ["USER", ["USERS"], "USERS"],
  ["hsto", ["host"], undefined],
  ["a", ["b"], "b"],
  ["services", ["networks"], undefined],
  ["x", [], undefined],
])("%s among %j is a typo of %s", (word, candidates, meant) => {
  expect(didYouMean(word, candidates)).toBe(meant);
});

test("long quoted values are cut, but not the text between them", () => {
  const long = "é".repeat(200);
  const between = "text ".repeat(40);
  expect(
    format(diagnostic(`"a" ${between} "b" is "${long}" or "\\"${long}"`, { notes: [`Write "${long}".`] })),
  ).toEqual([
    `vpc.jsonc: error: "a" ${between} "b" is "${"é".repeat(80)}…" or "\\"${"é".repeat(78)}…" [test]`,
    `    Write "${"é".repeat(80)}…".`,
  ]);
});

test("control characters are escaped, but not line ends and letters", () => {
  expect(format(diagnostic('"\u001b[2J\u0000\u009b\u202e" ü 🙂\nsecond'))).toEqual([
    'vpc.jsonc: error: "\\u001b[2J\\u0000\\u009b\\u202e" ü 🙂',
    "second [test]",
  ]);
});

test("the first 50 are printed, and warnings don't displace errors", () => {
  const warnings = Array.from({ length: 60 }, (_, index) =>
    diagnostic(`w${index}`, { severity: "warning", line: index + 1 }),
  );
  const lines = format(...warnings, diagnostic("last", { line: 99 }));
  expect(lines).toHaveLength(51);
  expect(lines.slice(-3)).toEqual([
    "vpc.jsonc:49: warning: w48 [test]",
    "vpc.jsonc:99: error: last [test]",
    "… and 11 more",
  ]);
  expect(format(...warnings.slice(0, 50))).toHaveLength(50);
});
