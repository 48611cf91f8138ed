/** The measured parts of docs/performance.md: what a command writes there, and that nothing else was typed. Measures nothing. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type BenchReport, report } from "../../bench/report.ts";
import { DOCUMENT, renderAll } from "../../bench/results.ts";
import { SECTIONS, type Section, formatMissing, formatSection, replaceSection } from "../../bench/section.ts";

const ROOT = path.join(import.meta.dirname, "../..");

const MACHINE = { date: "2026-11-30T16:00:00.000Z", cores: 2, kind: "x64 of Intel, 24 GiB, Linux" };

/** @param slow milliseconds of the subject, in each round; the other takes 10 */
function compare(slow: number[], goal: number): BenchReport {
  return report({
    title: "Small answers",
    operation: "a request",
    samples: new Map([
      ["bare", slow.map(() => 10)],
      ["bare, again", slow.map(() => 9)],
      ["http", slow],
    ]),
    pairs: [
      { subject: "bare, again", against: "bare" },
      { subject: "http", against: "bare", goal },
    ],
  });
}

function sectionOf(...reports: BenchReport[]): Section {
  const machine = { ...MACHINE, load: "0.10", versions: "Node v24.0.0" };
  return { command: "npm run bench -- http --write", machine, loadAfter: "0.20", reports };
}

const MARKED = `# Performance

Before.

<!-- bench http: npm run bench -- http --write -->

old

<!-- end of bench http -->

Between.

<!-- bench tcp: npm run bench -- tcp --write -->
<!-- end of bench tcp -->

After.
`;

test("a section is written between its markers, and the rest of the page stays", () => {
  const once = replaceSection(MARKED, "http", "first");
  expect(once).toBe(MARKED.replace("old", "first"));
  expect(replaceSection(once, "http", "old")).toBe(MARKED);
  expect(replaceSection(MARKED, "tcp", "$& $1").replace("\n\n$& $1\n\n", "\n")).toBe(MARKED);
});

test.each([
  ["without markers", "# Performance\n"],
  ["without the second", MARKED.replace("<!-- end of bench http -->\n", "")],
  ["with two of them", MARKED + MARKED],
])("a page %s is not changed, and the error has the lines that it needs", (_, page) => {
  expect(() => replaceSection(page, "http", "new")).toThrow(
    "docs/performance.md must have each of these lines once, in this order; write them where the table belongs:\n<!-- bench http: npm run bench -- http --write -->\n<!-- end of bench http -->",
  );
});

test("a section has its date, machine, noise and goals, and says what was missed", () => {
  expect(formatSection(sectionOf(compare([20, 20, 20], 1.1), compare([10, 10, 10], 1.1)))).toBe(
    `Written by \`npm run bench -- http --write\` on 2026-11-30.

- Machine: 2 cores, x64 of Intel, 24 GiB, Linux. Its load was 0.10 at the start and 0.20 at the end.
- Versions: Node v24.0.0.
- Noise: the same subject measured twice gave 0.90 × to 0.90 ×; its intervals reach from 0.90 × to 0.90 ×.
- Goals: 1 reached, 1 missed, 0 in the noise.

|               | subject     | median  | against | ratio  | 95 %             | goal     | verdict    |
| ------------- | ----------- | ------- | ------- | ------ | ---------------- | -------- | ---------- |
| Small answers | bare, again | 9.0 ms  | bare    | 0.90 × | 0.90 × to 0.90 × |          |            |
|               | http        | 20.0 ms | bare    | 2.00 × | 2.00 × to 2.00 × | ≤ 1.10 × | **missed** |
| Small answers | bare, again | 9.0 ms  | bare    | 0.90 × | 0.90 × to 0.90 × |          |            |
|               | http        | 10.0 ms | bare    | 1.00 × | 1.00 × to 1.00 × | ≤ 1.10 × | reached    |`,
  );
});

test.each([
  ["reached, in the noise", 11, 10],
  ["missed, in the noise", 10, 11],
])("an interval that holds the goal: %s", (verdict, below, above) => {
  const slow = [...Array.from({ length: below }, () => 11), ...Array.from({ length: above }, () => 13)];
  const text = formatSection(sectionOf(compare(slow, 1.2)));
  expect(text).toContain(`| ${verdict} |`);
  expect(text).toContain("- Goals: 0 reached, 0 missed, 1 in the noise.");
});

test("a figure that stands alone is judged by its own goal, in its unit", () => {
  const alone = report({
    title: "CPU time",
    operation: "a run",
    samples: new Map([["check", [310, 310, 310]]]),
    pairs: [],
    plain: [{ subject: "check", goal: 300 }],
  });
  const text = formatSection(sectionOf(alone));
  expect(text).toContain("| CPU time | check   | 310 ms | 310 ms to 310 ms | ≤ 300 ms | **missed** |");
  expect(text).toContain("- Noise: no subject was measured twice.\n- Goals: 0 reached, 1 missed, 0 in the noise.");
});

test("the formatter changes nothing in a section", () => {
  const page = replaceSection(MARKED, "http", formatSection(sectionOf(compare([20, 20, 20], 1.1))));
  const { stdout } = spawnSync(
    process.execPath,
    [path.join(ROOT, "node_modules/oxfmt/bin/oxfmt"), "--stdin-filepath=docs/performance.md"],
    { cwd: ROOT, input: replaceSection(page, "tcp", formatMissing("tcp")), encoding: "utf8" },
  );
  expect(stdout).toBe(replaceSection(page, "tcp", formatMissing("tcp")));
});

test("docs/performance.md has the figures of bench/results/, and no others", () => {
  const page = readFileSync(DOCUMENT, "utf8");
  expect(renderAll(page, SECTIONS)).toBe(page);
});
