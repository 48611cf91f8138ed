/**
 * Compares the data path of this build with that of another one, such as the last commit before a change. Starts both
 * again and again, because two processes with the same code differ by a tenth. A round of a report is one such start.
 */

import path from "node:path";
import { pathToFileURL } from "node:url";
import { append, measureWithCpu } from "./cpu-time.ts";
import { type BenchInstance, startInstance } from "./instance.ts";
import type { Samples } from "./measure.ts";
import { report } from "./report.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const BEFORE = "before";
const NOW = "now";
const AGAIN = "now, again";

/** In each start. The fastest one counts, which other processes disturbed least. */
const ROUNDS = 8;

interface Row {
  title: string;
  operation: string;
  hasTraffic: boolean;
  /** One value per start. */
  time: Samples;
  /** Of Node and the runtime. Empty where the system doesn't tell. */
  cpu: Samples;
  run(instance: BenchInstance, operations: number): Promise<void>;
}

function rowsOf({ upstream }: SuiteContext, hasTraffic: boolean): Row[] {
  const row = (title: string, operation: string, run: Row["run"]): Row => ({
    title: `${title}${hasTraffic ? ", traffic lines" : ""}`,
    operation,
    hasTraffic,
    time: new Map(),
    cpu: new Map(),
    run,
  });
  const requests = (scheme: string, inFlight: number): Row =>
    row(`${scheme}, GET, ${inFlight} in flight`, "a request", (instance, operations) =>
      instance.run("fetchMany", { through: "NET", url: `${scheme}://api.internal/`, operations, inFlight }),
    );
  const addresses = upstream.tcp.map((port) => `tcp.internal:${port}`);
  const connections = (title: string, job: "connectMany" | "connectAndAsk" | "roundTrips"): Row =>
    row(`TCP, ${title}`, "an operation", (instance, operations) =>
      instance.run(job, { through: "NET", addresses, operations }),
    );
  const busy = [requests("http", 16), connections("short connections", "connectAndAsk")];
  if (hasTraffic) return busy;
  return [
    ...busy,
    requests("http", 1),
    requests("https", 1),
    requests("https", 16),
    connections("connection set-up", "connectMany"),
    connections("round trip", "roundTrips"),
  ];
}

/** @param folder a checkout that has been built */
export function benchAgainst(folder: string): Suite {
  return async function* (context) {
    const other = (await import(pathToFileURL(path.resolve(folder, "dist/index.js")).href)) as {
      withVpc: typeof import("miniflare-vpc").withVpc;
    };
    const builds = [{ name: BEFORE, withVpc: other.withVpc }, { name: NOW }, { name: AGAIN }];
    const rows = [...rowsOf(context, false), ...rowsOf(context, true)];
    for (let start = 0; start < (context.isQuick ? 3 : 15); start++) {
      for (const hasTraffic of [false, true]) {
        const order = [...builds.slice(start % builds.length), ...builds.slice(0, start % builds.length)];
        await using running = await startAll(context, hasTraffic, order);
        for (const row of rows.filter((each) => each.hasTraffic === hasTraffic)) await measureRow(row, running.builds);
      }
    }
    for (const { title, operation, time, cpu } of rows) {
      const pairs = [
        { subject: AGAIN, against: NOW },
        { subject: NOW, against: BEFORE, goal: 1.05 },
      ];
      yield report({ title, operation, samples: time, pairs });
      if (cpu.size > 0) yield report({ title: `${title}, CPU time`, operation, samples: cpu, pairs });
    }
  };
}

async function measureRow(row: Row, builds: readonly StartedBuild[]): Promise<void> {
  const subjects = builds.map(({ name, instance }) => ({
    name,
    run: (operations: number) => row.run(instance, operations),
    readCpu: instance.readCpu,
  }));
  const { time, cpu } = await measureWithCpu(subjects, { seconds: 0, atLeast: ROUNDS, sample: 50 });
  for (const [name, values] of time) append(row.time, name, Math.min(...values));
  for (const [name, values] of cpu) append(row.cpu, name, Math.min(...values));
}

interface Build {
  name: string;
  withVpc?: typeof import("miniflare-vpc").withVpc;
}

interface StartedBuild {
  name: string;
  instance: BenchInstance;
}

async function startAll(
  { upstream }: SuiteContext,
  hasTraffic: boolean,
  builds: readonly Build[],
): Promise<{ builds: StartedBuild[] } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const started: StartedBuild[] = [];
  for (const { name, ...build } of builds) {
    const instance = stack.use(await startInstance(upstream, { hasTraffic, ...build }));
    // The first requests run uncompiled.
    for (const url of ["http://api.internal/", "https://api.internal/"])
      await instance.run("fetchMany", { through: "NET", url, operations: 1000, inFlight: 16 });
    started.push({ name, instance });
  }
  const running = stack.move();
  return { builds: started, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
