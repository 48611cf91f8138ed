/** CPU time, which other processes affect less than the clock. Linux only. */

import { readFileSync, readdirSync } from "node:fs";
import { type Rounds, type Samples, type Subject, measure } from "./measure.ts";

export interface CpuSubject extends Subject {
  /** Milliseconds so far. Undefined where the system doesn't tell. */
  readCpu: (() => number) | undefined;
}

/** @returns `cpu`: empty where the system doesn't tell */
export async function measureWithCpu(
  subjects: readonly CpuSubject[],
  rounds: Rounds,
): Promise<{ time: Samples; cpu: Samples }> {
  const cpu: Samples = new Map();
  const time = await measure(
    subjects.map((subject) => withCpu(subject, cpu)),
    rounds,
  );
  // Those before the rounds warmed up.
  for (const [name, values] of cpu) cpu.set(name, values.slice(-(time.get(name)?.length ?? 0)));
  return { time, cpu };
}

function withCpu({ readCpu, ...subject }: CpuSubject, samples: Samples): Subject {
  if (readCpu === undefined) return subject;
  return {
    ...subject,
    async run(operations) {
      const before = readCpu();
      const own = await subject.run(operations);
      append(samples, subject.name, (readCpu() - before) / operations);
      return own;
    },
  };
}

export function append(samples: Samples, name: string, value: number): void {
  const values = samples.get(name);
  if (values === undefined) samples.set(name, [value]);
  else values.push(value);
}

/** @returns milliseconds of a process, by all its threads that still run */
export function cpuTime(pid: number): number {
  // The first field is nanoseconds. `/proc/<pid>/stat` counts in hundredths of a second.
  const times = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
  );
  return times.reduce((sum, nanoseconds) => sum + nanoseconds / 1e6, 0);
}
