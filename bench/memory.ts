/** Measures the memory of an instance's processes: Node and workerd together, and workerd alone. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";
import { startOnce } from "./start-up.ts";
import type { Size } from "./sized-config.ts";

const PLAIN = "Miniflare";
const EMPTY = "with the plugin, an empty config";
const LARGE = "with 1000 services and 10000 routes";
const PER_ROUTES = "workerd, for each 1000 routes";

export async function* benchMemory({ isQuick }: SuiteContext): AsyncGenerator<BenchReport> {
  const rounds = { seconds: 0, atLeast: isQuick ? 1 : 9, sample: 0 };
  const plain = resident(PLAIN);
  const subjects = [
    plain,
    again(plain),
    resident(EMPTY, { services: 0, routes: 0 }),
    resident(LARGE, { services: 1000, routes: 10_000 }),
  ];
  yield report({
    title: "Memory after the start, Node and workerd",
    operation: "resident",
    unit: "MB",
    samples: await measure(subjects, rounds),
    pairs: [`${PLAIN}, again`, EMPTY, LARGE].map((subject) => ({ subject, against: PLAIN })),
  });
  const growth: Subject = {
    name: PER_ROUTES,
    operations: 1,
    run: async () =>
      ((await runtimeSize({ services: 0, routes: 10_000 })) - (await runtimeSize({ services: 0, routes: 0 }))) / 10,
  };
  yield report({
    title: "Memory that routes take",
    operation: "resident",
    unit: "MB",
    samples: await measure([growth], rounds),
    pairs: [],
    plain: [{ subject: PER_ROUTES }],
  });
}

function resident(name: string, size?: Size): Subject {
  return {
    name,
    operations: 1,
    run: async () => {
      await using started = await startOnce(size);
      return sum(await processesUnder(started.pid));
    },
  };
}

async function runtimeSize(size: Size): Promise<number> {
  await using started = await startOnce(size);
  return sum((await processesUnder(started.pid)).filter(({ command }) => command === "workerd"));
}

interface MeasuredProcess {
  pid: number;
  parent: number;
  kibibytes: number;
  /** Its file, without the folder. */
  command: string;
}

/** @returns megabytes */
function sum(processes: readonly MeasuredProcess[]): number {
  return (processes.reduce((all, { kibibytes }) => all + kibibytes, 0) * 1024) / 1e6;
}

/** @returns a process and all its descendants */
async function processesUnder(root: number): Promise<MeasuredProcess[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid=,rss=,comm="]);
  const all = stdout
    .trim()
    .split("\n")
    .map((line): MeasuredProcess => {
      const [pid, parent, kibibytes, command = ""] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), kibibytes: Number(kibibytes), command };
    });
  const below = (pid: number): MeasuredProcess[] =>
    all.filter(({ parent }) => parent === pid).flatMap((child) => [child].concat(below(child.pid)));
  return [...all.filter(({ pid }) => pid === root), ...below(root)];
}
