/** What the page that shows the traffic costs while nobody has opened it, and after somebody has. */

import { measureWithCpu } from "./cpu-time.ts";
import { type BenchInstance, startInstance } from "./instance.ts";
import { again } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";

const OFF = "no page";
const CLOSED = "a page that nobody has opened";
const OPENED = "a page that was opened";

const PAIRS = [
  { subject: `${OFF}, again`, against: OFF },
  { subject: CLOSED, against: OFF, goal: 1.05 },
  { subject: OPENED, against: OFF },
];

interface Kind {
  title: string;
  operation: string;
  /** Of a sample, the same for each subject: a subject that is sized while the machine is busy pays for the dispatch alone. */
  operations: number;
  run: (instance: BenchInstance, operations: number) => Promise<void>;
}

function requests(inFlight: number): Kind {
  return {
    title: `Traffic page, http, GET, ${inFlight} in flight`,
    operation: "a request",
    operations: inFlight === 1 ? 200 : 400,
    run: (instance, operations) =>
      instance.run("fetchMany", { through: "NET", url: "http://api.internal/", operations, inFlight }),
  };
}

export async function* benchPage(context: SuiteContext): AsyncGenerator<BenchReport> {
  const { upstream, quiet } = context;
  await using closed = await startInstance(upstream, { hasTraffic: false, ui: true });
  await using opened = await startInstance(upstream, { hasTraffic: false, ui: true });
  if (opened.pageUrl === undefined) throw new Error("bench: the session has no page");
  // The list and each tab read the calls; here nobody does, so this is the cost of capturing them.
  await (await fetch(opened.pageUrl)).text();
  const subjects = [
    { name: OFF, instance: quiet },
    { name: CLOSED, instance: closed },
    { name: OPENED, instance: opened },
  ];
  const addresses = upstream.tcp.map((port) => `tcp.internal:${port}`);
  const connections: Kind = {
    title: "Traffic page, TCP, round trip",
    operation: "an operation",
    operations: 1000,
    run: (instance, operations) => instance.run("roundTrips", { through: "NET", addresses, operations }),
  };
  for (const { title, operation, operations, run } of [requests(1), requests(16), connections]) {
    const measured = subjects.map(({ name, instance }) => ({
      name,
      operations,
      run: (count: number) => run(instance, count),
      readCpu: instance.readCpu,
    }));
    // The first calls run uncompiled and make the kept connections.
    for (const { instance } of subjects) await run(instance, operations * 2);
    const { time, cpu } = await measureWithCpu([...measured, ...measured.slice(0, 1).map(again)], context.rounds(0.6));
    yield report({ title, operation, samples: time, pairs: PAIRS });
    if (cpu.size > 0) yield report({ title: `${title}, CPU time`, operation, samples: cpu, pairs: PAIRS });
  }
}
