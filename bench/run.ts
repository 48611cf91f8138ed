/**
 * `npm run bench`: measures on this machine, prints tables, writes them as JSON.
 *
 *   --quick              about a minute, with wider intervals
 *   --out <path>         where the JSON goes; default bench/results/<date>.json
 *   --against <folder>   compares the data path with that of another checkout, which has been built, and runs no suite
 *   http tcp …           runs only these suites
 */

import { mkdir, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { benchAgainst } from "./against.ts";
import { benchDecide } from "./decide.ts";
import { benchHttp } from "./http.ts";
import { startInstance } from "./instance.ts";
import { describeMachine } from "./machine.ts";
import type { Rounds } from "./measure.ts";
import { benchMemory } from "./memory.ts";
import { benchPage } from "./page.ts";
import { benchPostgres } from "./postgres.ts";
import { type BenchReport, formatReport, formatSummary } from "./report.ts";
import { benchDev, benchStartUp } from "./start-up.ts";
import { benchRules } from "./rules.ts";
import type { Suite } from "./suite.ts";
import { benchTcp } from "./tcp.ts";
import { startUpstream } from "./upstream.ts";

const suites: Record<string, Suite> = {
  http: benchHttp,
  rules: benchRules,
  page: benchPage,
  tcp: benchTcp,
  postgres: benchPostgres,
  "start-up": benchStartUp,
  dev: benchDev,
  decide: benchDecide,
  memory: benchMemory,
};

async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      against: { type: "string" },
    },
  });
  const unknown = positionals.filter((name) => !(name in suites));
  if (unknown.length > 0) {
    throw new Error(`There is no suite ${unknown.join(", ")}; there are ${Object.keys(suites).join(", ")}.`);
  }
  const named = Object.entries(suites).filter(([name]) => positionals.length === 0 || positionals.includes(name));
  const chosen = values.against === undefined ? named.map(([, suite]) => suite) : [benchAgainst(values.against)];
  const machine = describeMachine();
  say(
    Object.entries(machine)
      .map(([what, text]) => `${what}: ${text}`)
      .join("\n"),
  );

  await using upstream = await startUpstream();
  await using quiet = await startInstance(upstream, { hasTraffic: false });
  await using talking = await startInstance(upstream, { hasTraffic: true });
  const isQuick = values.quick;
  const rounds = (share: number): Rounds =>
    isQuick ? { seconds: 2 * share, atLeast: 3, sample: 60 } : { seconds: 45 * share, atLeast: 15, sample: 200 };
  const reports: BenchReport[] = [];
  for (const suite of chosen) {
    for await (const found of suite({ upstream, quiet, talking, isQuick, rounds })) {
      reports.push(found);
      say(formatReport(found));
    }
  }
  const loadAfter = (loadavg()[0] ?? 0).toFixed(2);
  say(`### Summary\n\n${formatSummary(reports)}`);
  say(`load at the end: ${loadAfter}`);
  const file = values.out ?? path.join(import.meta.dirname, "results", `${machine.date.slice(0, 10)}.json`);
  await mkdir(path.dirname(path.resolve(file)), { recursive: true });
  await writeFile(file, `${JSON.stringify({ machine, loadAfter, isQuick, reports }, undefined, 2)}\n`);
  say(`Written to ${file}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n\n`);
}

await run(process.argv.slice(2));
