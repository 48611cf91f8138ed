/**
 * How everything here is timed: all subjects in turn, in an order drawn anew for each round, so that what the machine
 * does besides falls on all of them; medians; and ratios within a round, with the interval they lie in.
 */

export interface Subject {
  name: string;
  /** @returns when that many operations are done; a number in place of their time if it measured that itself, in milliseconds */
  run(operations: number): Promise<number | void>;
  /** Fixed, for long operations. Default: as many as fill a sample. */
  operations?: number;
}

/** Milliseconds per operation, one a round; the same index is the same round. */
export type Samples = Map<string, number[]>;

export interface Rounds {
  /** Gives up further rounds after this many seconds, but not before `atLeast` of them. */
  seconds: number;
  atLeast: number;
  /** Milliseconds that a sample should take: so many that a dispatch of 2 ms is lost in them. */
  sample: number;
}

/** The name under which a subject is measured a second time, as if it were another: what the machine itself does to a ratio. */
export function again(subject: Subject): Subject {
  return { ...subject, name: `${subject.name}, again` };
}

export async function measure(subjects: readonly Subject[], { seconds, atLeast, sample }: Rounds): Promise<Samples> {
  const sized = [];
  for (const subject of subjects)
    sized.push({ subject, operations: subject.operations ?? (await fill(subject, sample)) });
  // Not counted: Node compiles what has run for a while.
  for (const { subject, operations } of sized) if (subject.operations === undefined) await subject.run(operations * 2);
  const samples: Samples = new Map(subjects.map(({ name }) => [name, []]));
  const deadline = performance.now() + seconds * 1000;
  for (let round = 0; round < atLeast || performance.now() < deadline; round++) {
    for (const { subject, operations } of shuffled(sized)) {
      samples.get(subject.name)?.push((await time(subject, operations)) / operations);
    }
  }
  return samples;
}

/** Also warms up: the first calls run uncompiled, and make the connections that are kept. */
async function fill(subject: Subject, sample: number): Promise<number> {
  let operations = 16;
  for (;;) {
    const taken = await time(subject, operations);
    if (taken >= sample / 4) return Math.max(1, Math.round((operations * sample) / taken));
    operations *= 4;
  }
}

async function time(subject: Subject, operations: number): Promise<number> {
  const started = performance.now();
  const own = await subject.run(operations);
  return own ?? performance.now() - started;
}

export interface Interval {
  median: number;
  /** Of 95 %, by bootstrap over the rounds. */
  low: number;
  high: number;
}

const REsampleS = 2000;

/** @param values one a round */
export function interval(values: readonly number[]): Interval {
  const medians = Array.from({ length: REsampleS }, () => median(values.map(() => pick(values)))).sort(ascending);
  return { median: median(values), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** How many times the time of `against` the subject takes, round by round. */
export function ratio(samples: Samples, subject: string, against: string): Interval {
  const others = samplesOf(samples, against);
  return interval(samplesOf(samples, subject).map((value, round) => value / (others[round] ?? Number.NaN)));
}

export function samplesOf(samples: Samples, subject: string): number[] {
  const found = samples.get(subject);
  if (found === undefined) throw new Error(`nothing is called ${JSON.stringify(subject)} here`);
  return found;
}

export function median(values: readonly number[]): number {
  return quantile([...values].sort(ascending), 0.5);
}

/** @param sorted ascending */
function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const [below = Number.NaN, above = below] = sorted.slice(Math.floor(position), Math.floor(position) + 2);
  return below + (above - below) * (position % 1);
}

function ascending(a: number, b: number): number {
  return a - b;
}

function pick<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)] as T;
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}
