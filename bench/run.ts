/**
 * `npm run bench`: measures on this machine and prints tables.
 *
 *   --quick              about a minute, with wider intervals
 *   --seconds <number>   of a usual comparison; default 45
 *   --write              also writes bench/results/<suite>.json and the suite's part of docs/performance.md
 *   --out <path>         also writes everything as JSON
 *   --render             measures nothing, and writes docs/performance.md from bench/results/
 *   --against <folder>   compares the data path with that of another checkout, which has been built, and runs no suite
 *   http tcp …           runs only these suites
 */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { benchAgainst } from "./against.ts";
import { formatReport, formatSummary } from "./format.ts";
import { startInstance } from "./instance.ts";
import { describeMachine, readLoad } from "./machine.ts";
import type { Rounds } from "./measure.ts";
import type { BenchReport } from "./report.ts";
import { saveResults, writeDocument } from "./results.ts";
import { type Section, SECTIONS, SUITES } from "./section.ts";
import type { Suite, SuiteContext } from "./suite.ts";
import { suites } from "./suites.ts";
import { startUpstream } from "./upstream.ts";

async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string", default: "45" },
      write: { type: "boolean", default: false },
      render: { type: "boolean", default: false },
      out: { type: "string" },
      against: { type: "string" },
    },
  });
  const unknown = positionals.filter((name) => !SUITES.some((suite) => suite === name));
  if (unknown.length > 0) {
    throw new Error(`There is no suite ${unknown.join(", ")}; there are ${SUITES.join(", ")}.`);
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds ${values.seconds} is not a number of seconds above 0.`);
  // Before measuring, so that a suite without a place in the document fails at once.
  if (values.render || values.write) writeDocument(SECTIONS);
  if (values.render) return;
  const named = Object.entries(suites).filter(([name]) => positionals.length === 0 || positionals.includes(name));
  const chosen = values.against === undefined ? named : [["against", benchAgainst(values.against)] as const];

  await using upstream = await startUpstream();
  await using quiet = await startInstance(upstream, { hasTraffic: false });
  await using talking = await startInstance(upstream, { hasTraffic: true });
  const isQuick = values.quick;
  const rounds = (share: number): Rounds =>
    isQuick ? { seconds: 2 * share, atLeast: 3, sample: 60 } : { seconds: seconds * share, atLeast: 15, sample: 200 };
  const context = { upstream, quiet, talking, isQuick, rounds };
  const usual = values.seconds === "45" ? "" : ` --seconds ${values.seconds}`;
  const pace = isQuick ? " --quick" : usual;
  const sections: Section[] = [];
  for (const [name, suite] of chosen) {
    const command = `npm run bench -- ${name === "against" ? "--against DIR" : name}${pace} --write`;
    const before = values.write && values.against !== undefined ? { before: describeBuild(values.against) } : {};
    const section = { command, ...before, ...(await runSuite(suite, context)) };
    sections.push(section);
    if (!values.write) continue;
    saveResults(name, section);
    writeDocument(SECTIONS);
    say(`Written: ${name} in docs/performance.md`);
  }
  say(`### Summary\n\n${formatSummary(sections.flatMap(({ reports }) => reports))}`);
  if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(sections, undefined, 2)}\n`);
}

async function runSuite(
  suite: Suite,
  context: SuiteContext,
): Promise<Pick<Section, "machine" | "loadAfter" | "reports">> {
  const machine = describeMachine();
  say(`${machine.cores} cores, ${machine.kind}, load ${machine.load}\n${machine.versions}`);
  const reports: BenchReport[] = [];
  for await (const found of suite(context)) {
    reports.push(found);
    say(formatReport(found));
  }
  return { machine, loadAfter: readLoad(), reports };
}

/** @returns the commit of a checkout, and its subject */
function describeBuild(folder: string): string {
  return execFileSync("git", ["log", "-1", "--format=%h, %s"], { cwd: folder, encoding: "utf8" }).trim();
}

function say(text: string): void {
  process.stdout.write(`${text}\n\n`);
}

await run(process.argv.slice(2));
