/** Measures the time until a Worker answers, with and without this package. Each start is a separate process. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";
import type { Size } from "./sized-config.ts";

const PLAIN = "Miniflare";
const EMPTY = "with the plugin, an empty config";
const ORDINARY = "an empty config, and 1000 ordinary service bindings";
const SERVICES = "with 1000 services";
const LARGE = "with 1000 services and 10000 routes";

export async function benchStartUp(context: SuiteContext): Promise<BenchReport> {
  const plain = start(PLAIN);
  const subjects = [
    plain,
    again(plain),
    start(EMPTY, { services: 0, routes: 0 }),
    start(ORDINARY, { services: 0, routes: 0, ordinary: 1000 }),
    start(SERVICES, { services: 1000, routes: 0 }),
    start(LARGE, { services: 1000, routes: 10_000 }),
  ];
  return report({
    title: "Start-up, from new Miniflare() to the first answer",
    operation: "a start",
    samples: await measure(subjects, context.rounds(1)),
    pairs: [
      { subject: `${PLAIN}, again`, against: PLAIN },
      { subject: EMPTY, against: PLAIN, goal: 1.35 },
      { subject: ORDINARY, against: EMPTY },
      { subject: SERVICES, against: EMPTY },
      { subject: LARGE, against: EMPTY, goal: 1.5 },
    ],
  });
}

function start(name: string, size?: Size): Subject {
  return {
    name,
    operations: 1,
    run: async () => {
      await using started = await startOnce(size);
      return started.milliseconds;
    },
  };
}

export interface Started extends AsyncDisposable {
  milliseconds: number;
  pid: number;
}

/** @param size absent: without the plugin */
export async function startOnce(size?: Size): Promise<Started> {
  const child = fork(`${import.meta.dirname}/start-once.ts`, size === undefined ? [] : [JSON.stringify(size)]);
  const exit = once(child, "exit");
  const [milliseconds] = (await Promise.race([
    once(child, "message"),
    exit.then(() => Promise.reject(new Error("the start failed"))),
  ])) as [number];
  return {
    milliseconds,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exit;
    },
  };
}
