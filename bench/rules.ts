/** What a test's rules cost: an answer of a rule against a function target, and many rules against few. */

import { connectVpc } from "miniflare-vpc/test/node";
import { measureWithCpu } from "./cpu-time.ts";
import { type BenchInstance, startInstance } from "./instance.ts";
import { again } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";

const FUNCTION = "function target";
const OBSERVED = "function target, observed";
const TEN = "a rule's answer, 10 rules";
const THOUSAND = "a rule's answer, 1000 rules";
const ANSWER = { json: { id: 1, name: "Ada", city: "London" } };

const PAIRS = [
  { subject: `${FUNCTION}, again`, against: FUNCTION },
  { subject: OBSERVED, against: FUNCTION },
  { subject: TEN, against: FUNCTION, goal: 1.5 },
  { subject: THOUSAND, against: TEN, goal: 1.05 },
];

/** An instance whose calls are observed. The rule that answers is the oldest. */
async function withRules({ upstream }: SuiteContext, count: number): Promise<BenchInstance> {
  const instance = await startInstance(upstream, { hasTraffic: false });
  const vpc = await connectVpc(instance.miniflare);
  if (count > 0) await vpc.on("NET", "GET /").respond(ANSWER);
  for (let made = 1; made < count; made++) {
    const path = made % 2 === 0 ? `/${made}/:id` : `/users/:id/x${made}`;
    await vpc.on("NET", `GET ${path}`).respond(ANSWER);
  }
  return instance;
}

export async function* benchRules(context: SuiteContext): AsyncGenerator<BenchReport> {
  await using observed = await withRules(context, 0);
  await using ten = await withRules(context, 10);
  await using thousand = await withRules(context, 1000);
  for (const inFlight of [1, 16]) {
    const subjects = [
      { name: FUNCTION, instance: context.quiet },
      { name: OBSERVED, instance: observed },
      { name: TEN, instance: ten },
      { name: THOUSAND, instance: thousand },
    ].map(({ name, instance }) => ({
      name,
      run: (operations: number) =>
        instance.run("fetchMany", { through: "NET", url: "http://function.internal/", operations, inFlight }),
      readCpu: instance.readCpu,
    }));
    const measured = [...subjects, ...subjects.slice(0, 1).map(again)];
    const { time, cpu } = await measureWithCpu(measured, context.rounds(0.6));
    const title = `Rules, small answers, ${inFlight} in flight`;
    yield report({ title, operation: "a request", samples: time, pairs: PAIRS });
    if (cpu.size > 0) yield report({ title: `${title}, CPU time`, operation: "a request", samples: cpu, pairs: PAIRS });
  }
}
