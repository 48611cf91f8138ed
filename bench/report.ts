/** The results of a suite as data. Measures nothing; format.ts makes text of it. */

import { type Interval, type Samples, interval, ratio } from "./measure.ts";

export interface BenchReport {
  title: string;
  /** What one operation is. */
  operation: string;
  figures: Figure[];
  ratios: Ratio[];
  /** Figures that are compared with nothing. Absent: none. */
  plain?: Plain[];
}

export interface Figure extends Interval {
  subject: string;
  unit: Unit;
  rounds: number;
  /** Bytes per operation, if the operation moves bytes. */
  megabytes?: number;
}

export type Unit = "ms" | "MB";

/** Two subjects to compare. */
export interface Pair {
  subject: string;
  against: string;
  /** To reach: at most. A ratio, because it doesn't depend on the machine. */
  goal?: number;
}

export interface Ratio extends Pair, Interval {}

/** A subject to show alone. */
export interface Plain {
  subject: string;
  /** To reach: at most, in the unit of the report. It depends on the machine, so only a promise to users has one. */
  goal?: number;
}

export interface ReportOptions {
  title: string;
  operation: string;
  samples: Samples;
  pairs: readonly Pair[];
  plain?: readonly Plain[];
  unit?: Unit;
  megabytes?: number;
}

export function report(options: ReportOptions): BenchReport {
  const { title, operation, samples, pairs, plain, unit = "ms", megabytes } = options;
  const figures: Figure[] = [];
  for (const [subject, values] of samples) {
    figures.push({
      subject,
      unit,
      rounds: values.length,
      ...interval(values),
      ...(megabytes !== undefined && { megabytes }),
    });
  }
  const ratios = pairs.map((pair) => Object.assign(ratio(samples, pair.subject, pair.against), pair));
  return { title, operation, figures, ratios, ...(plain !== undefined && { plain: [...plain] }) };
}
