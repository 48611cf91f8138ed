/** docs/security.md names tests: each of them exists, under that title. */

import { readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const TEXT = readFileSync(path.join(ROOT, "docs/security.md"), "utf8");

/** As written there: the file in backticks, then titles in double quotes. */
const NAMED = [...TEXT.matchAll(/`(test\/[\w./-]+\.test\.ts)`((?:,? “[^”]+”)+)/g)].flatMap(
  ([, file = "", titles = ""]) => [...titles.matchAll(/“([^”]+)”/g)].map(([, title = ""]) => [file, title] as const),
);

test.each(NAMED)("%s: %s", (file, title) => {
  expect(readFileSync(path.join(ROOT, file), "utf8")).toContain(title);
});

test("each threat names one", () => {
  const rows = TEXT.split("\n").filter((line) => line.startsWith("| **"));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) expect(row).toMatch(/`test\/[\w./-]+\.test\.ts` “/);
});
