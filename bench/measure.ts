/**
 * Times all subjects in turn, in a new random order for each round, so that other work on the machine affects all of
 * them equally. Reports medians, and ratios within a round with their confidence interval.
 */

export interface Subject {
  name: string;
  /** Resolves when that many operations are done. @returns a number if it measured their time itself, in milliseconds */
  run(operations: number): Promise<number | void>;
  /** A fixed number of operations, for long ones. Default: as many as fill a sample. */
  operations?: number;
}

/** Milliseconds per operation, one entry per round. The same index is the same round. */
export type Samples = Map<string, number[]>;

export interface Rounds {
  /** Stops after this many seconds, but not before `atLeast` rounds. */
  seconds: number;
  atLeast: number;
  /** Milliseconds that a sample should take: enough to make a dispatch of 2 ms negligible. */
  sample: number;
}

/** The name for measuring a subject a second time, as if it were another: shows how much the machine alone changes a ratio. */
export function again<Kind extends Subject>(subject: Kind): Kind {
  return { ...subject, name: `${subject.name}, again` };
}

export async function measure(subjects: readonly Subject[], { seconds, atLeast, sample }: Rounds): Promise<Samples> {
  const sized = [];
  for (const subject of subjects)
    sized.push({ subject, operations: subject.operations ?? (await fill(subject, sample)) });
  // Not counted, because Node compiles code that has run for a while.
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

/** Also warms up, because the first calls run uncompiled and make the kept connections. */
async function fill(subject: Subject, sample: number): Promise<number> {
  let operations = 16;
  let taken = await time(subject, operations);
  while (taken < sample / 4) {
    operations *= 4;
    taken = await time(subject, operations);
  }
  // The fastest, because a subject that is sized while the machine is busy would pay for the dispatch alone.
  for (let more = 0; more < 2; more++) taken = Math.min(taken, await time(subject, operations));
  return Math.max(1, Math.round((operations * sample) / taken));
}

async function time(subject: Subject, operations: number): Promise<number> {
  const started = performance.now();
  const own = await subject.run(operations);
  return own ?? performance.now() - started;
}

export interface Interval {
  median: number;
  /** The 95 % interval, by bootstrap over the rounds. */
  low: number;
  high: number;
}

const RESAMPLES = 2000;

/** @param values one per round */
export function interval(values: readonly number[]): Interval {
  const medians = Array.from({ length: RESAMPLES }, () => median(values.map(() => pick(values)))).sort(ascending);
  return { median: median(values), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** The time of the subject divided by the time of `against`, per round. */
export function ratio(samples: Samples, subject: string, against: string): Interval {
  const others = samplesOf(samples, against);
  return interval(samplesOf(samples, subject).map((value, round) => value / (others[round] ?? Number.NaN)));
}

function samplesOf(samples: Samples, subject: string): number[] {
  const found = samples.get(subject);
  if (found === undefined) throw new Error(`there is no subject ${JSON.stringify(subject)}`);
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
