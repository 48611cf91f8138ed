/** Compares `env.NET.connect()` with `cloudflare:sockets`, and with the least that a Worker with a `connect` handler takes. */

import type { BenchInstance } from "./instance.ts";
import type { Jobs } from "./jobs.ts";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";

const DIRECT = "cloudflare:sockets";
const BINDING = "env.NET.connect";
const TRAFFIC = "env.NET.connect, traffic lines";
const PIPES = "a handler that only pipes";

const BYTES = 100_000_000;

/** Keeps the connections of a minute below the 131 072 that Linux keeps in TIME_WAIT. */
const SHORT = 0.35;

export async function* benchTcp(context: SuiteContext): AsyncGenerator<BenchReport> {
  yield await compare(context, {
    title: "TCP, connection set-up",
    operation: "connect, open, close",
    job: "connectMany",
    goal: 2.3,
    share: SHORT,
    hasControl: true,
  });
  yield await compare(context, {
    title: "TCP, short connections",
    operation: "connect, one round trip, close",
    job: "connectAndAsk",
    goal: 2,
    share: SHORT,
    hasControl: true,
  });
  yield await compare(context, {
    title: "TCP, round trip",
    operation: "64 bytes there and back",
    job: "roundTrips",
    goal: 1.1,
    trafficGoal: 1.15,
  });
  // 0.9 × the throughput is 1.11 × the time.
  for (const job of ["download", "upload"] as const) {
    yield await compare(context, {
      title: `TCP, 100 MB ${job}`,
      operation: "100 MB",
      job,
      goal: 1 / 0.9,
      trafficGoal: 1.1,
      bytes: BYTES,
    });
  }
}

interface Task {
  title: string;
  operation: string;
  job: keyof Jobs & ("connectMany" | "connectAndAsk" | "roundTrips" | "download" | "upload");
  goal: number;
  /** Of the same with traffic lines, against without. */
  trafficGoal?: number;
  bytes?: number;
  /** The share of the time that a usual comparison gets. */
  share?: number;
  /** Whether a handler that only pipes is measured, too. */
  hasControl?: boolean;
}

async function compare(
  context: SuiteContext,
  { title, operation, job, goal, trafficGoal, bytes, share = 0.6, hasControl = false }: Task,
): Promise<BenchReport> {
  const { upstream, quiet, talking } = context;
  const subject = (name: string, instance: BenchInstance, through?: string): Subject => ({
    name,
    ...(bytes !== undefined && { operations: 1 }),
    run: (operations) =>
      instance.run(job, {
        ...(through !== undefined && { through }),
        addresses: upstream.tcp.map((port) => `${through === undefined ? "127.0.0.1" : "tcp.internal"}:${port}`),
        operations,
        bytes: bytes ?? 0,
        isKnocking: through === "PIPES",
      }),
  });
  const direct = subject(DIRECT, quiet);
  const subjects = [direct, again(direct), subject(BINDING, quiet, "NET"), subject(TRAFFIC, talking, "NET")];
  if (hasControl) subjects.push(subject(PIPES, quiet, "PIPES"));
  const control = { subject: PIPES, against: DIRECT };
  return report({
    title,
    operation,
    samples: await measure(subjects, context.rounds(share)),
    pairs: [
      { subject: `${DIRECT}, again`, against: DIRECT },
      ...(hasControl ? [control, { subject: BINDING, against: PIPES }] : []),
      { subject: BINDING, against: DIRECT, goal },
      { subject: TRAFFIC, against: DIRECT },
      { subject: TRAFFIC, against: BINDING, ...(trafficGoal !== undefined && { goal: trafficGoal }) },
    ],
    ...(bytes !== undefined && { megabytes: bytes / 1e6 }),
  });
}
