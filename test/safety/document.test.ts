/** Each test that docs/security.md names exists. */

import { readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
const TEXT = readFileSync(path.join(ROOT, "docs/security.md"), "utf8");

/** The page has the file in backticks, then titles in double quotes. */
const NAMED = [...TEXT.matchAll(/`(test\/[\w./-]+\.ts)`((?:,? “[^”]+”)+)/g)].flatMap(([, file = "", titles = ""]) =>
  [...titles.matchAll(/“([^”]+)”/g)].map(([, title = ""]) => [file, title] as const),
);

test.each(NAMED)("%s: %s", (file, title) => {
  expect(readFileSync(path.join(ROOT, file), "utf8")).toContain(title);
});

/** Each threat has a third-level heading: the text from it to the next heading. */
const THREATS = TEXT.split(/^(?=##+ )/m).filter((section) => section.startsWith("### "));

test("the page lists all threats", () => {
  expect(THREATS.length).toBeGreaterThan(35);
});

test.each(THREATS.map((section) => [section.split("\n", 1)[0], section]))("%s names a test", (_, section) => {
  expect(section).toMatch(/^- `test\/[\w./-]+\.test\.ts` “/m);
});
