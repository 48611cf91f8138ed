/** Measures the memory of an instance's processes: Node and workerd together. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";
import { startOnce } from "./start-up.ts";
import type { Size } from "./start-once.ts";

const PLAIN = "Miniflare";
const PLUGIN = "with the plugin";
const LARGE = "with 1000 services and 10000 routes";

export async function* benchMemory({ isQuick }: SuiteContext): AsyncGenerator<BenchReport> {
  const plain = resident(PLAIN);
  const subjects = [
    plain,
    again(plain),
    resident(PLUGIN, { services: 1, routes: 1 }),
    resident(LARGE, { services: 1000, routes: 10_000 }),
  ];
  yield report({
    title: "Memory after the start, Node and workerd",
    operation: "resident",
    unit: "MB",
    samples: await measure(subjects, { seconds: 0, atLeast: isQuick ? 1 : 9, sample: 0 }),
    pairs: [`${PLAIN}, again`, PLUGIN, LARGE].map((subject) => ({ subject, against: PLAIN })),
  });
}

function resident(name: string, size?: Size): Subject {
  return {
    name,
    operations: 1,
    run: async () => {
      await using started = await startOnce(size);
      return residentSize(started.pid);
    },
  };
}

/** @returns megabytes of a process and all its descendants */
async function residentSize(root: number): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid=,rss="]);
  const processes = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0, kibibytes = 0]) => ({ pid, parent, kibibytes }));
  const sizeBelow = (pid: number): number =>
    processes
      .filter(({ parent }) => parent === pid)
      .reduce((sum, child) => sum + child.kibibytes + sizeBelow(child.pid), 0);
  const own = processes.find(({ pid }) => pid === root)?.kibibytes ?? 0;
  return ((own + sizeBelow(root)) * 1024) / 1e6;
}
