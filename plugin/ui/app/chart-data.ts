/** Counts calls for the charts: in how many periods, with which outcome, how long, and with which errors. Pure. */

import type { TrafficRow } from "../traffic-view.ts";

/** What three charts show. */
export interface Metrics {
  /** Milliseconds since 1970: where each period begins. */
  starts: readonly number[];
  /** Milliseconds of a period. */
  period: number;
  /** Calls that began in a period, by their outcome. */
  outcomes: readonly Series[];
  /** Milliseconds; null: no call of the period has ended. */
  latencies: readonly Series<number | null>[];
  /** By error code, the most frequent one first. */
  errors: readonly Series[];
}

export interface Series<Value = number> {
  name: string;
  values: readonly Value[];
}

/** Seconds that a period may have. */
const PERIODS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400];
const MOST = 40;
const FEWEST = 12;
/** Error codes that have a colour of their own. */
const CODES = 5;

type Call = Pick<TrafficRow, "startedAt" | "duration" | "code" | "isRefused" | "status">;

/** @param span milliseconds since 1970, the same for charts that stand beside each other */
export function measure(calls: readonly Call[], span: { from: number; to: number }): Metrics {
  const { starts, period } = splitTime(span);
  const first = starts[0] ?? 0;
  const buckets = starts.map((): Call[] => []);
  for (const call of calls) buckets[Math.floor((call.startedAt - first) / period)]?.push(call);
  const count = (isMeant: (call: Call) => boolean): number[] => buckets.map((bucket) => bucket.filter(isMeant).length);
  const quantile = (share: number): (number | null)[] =>
    buckets.map((bucket) => quantileOf(durationsOf(bucket), share));
  return {
    starts,
    period,
    outcomes: [
      { name: "succeeded", values: count((call) => outcomeOf(call) === "succeeded") },
      { name: "failed", values: count((call) => outcomeOf(call) === "failed") },
      { name: "refused", values: count((call) => outcomeOf(call) === "refused") },
    ],
    latencies: [
      { name: "p50", values: quantile(0.5) },
      { name: "p90", values: quantile(0.9) },
      { name: "p99", values: quantile(0.99) },
    ],
    errors: errorsOf(calls).map(({ name, codes }) => ({
      name,
      values: count(({ code }) => code !== undefined && codes.has(code)),
    })),
  };
}

/** At most 40 periods of a round length that cover the span. */
function splitTime({ from, to }: { from: number; to: number }): { starts: number[]; period: number } {
  const wanted = (to - from) / MOST / 1000;
  const period = (PERIODS.find((seconds) => seconds >= wanted) ?? Math.ceil(wanted)) * 1000;
  const last = Math.floor(to / period) * period;
  const count = Math.max(FEWEST, Math.floor((last - Math.floor(from / period) * period) / period) + 1);
  return { starts: Array.from({ length: count }, (_, index) => last - (count - 1 - index) * period), period };
}

/** A status is an answer, whatever it says. */
function outcomeOf({ code, isRefused }: Call): "succeeded" | "failed" | "refused" {
  if (isRefused) return "refused";
  return code === undefined ? "succeeded" : "failed";
}

function durationsOf(calls: readonly Call[]): number[] {
  return calls.flatMap(({ duration }) => duration ?? []).toSorted((one, other) => one - other);
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantileOf(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

function errorsOf(calls: readonly Call[]): { name: string; codes: Set<string> }[] {
  const counts = new Map<string, number>();
  for (const { code } of calls) if (code !== undefined) counts.set(code, (counts.get(code) ?? 0) + 1);
  const codes = [...counts].toSorted(([, one], [, other]) => other - one).map(([code]) => code);
  const own = codes.slice(0, CODES).map((code) => ({ name: code, codes: new Set([code]) }));
  const others = codes.slice(CODES);
  return others.length === 0 ? own : [...own, { name: "others", codes: new Set(others) }];
}

export interface Flow {
  binding: string;
  worker: string;
  /** Empty: refused, so it went nowhere. */
  target: string;
  calls: readonly TrafficRow[];
}

/** Calls by their binding and target, the most frequent first. */
export function flowsOf(rows: readonly TrafficRow[]): Flow[] {
  const flows = Map.groupBy(rows, ({ binding, worker, target = "" }) => JSON.stringify([worker, binding, target]));
  return [...flows.values()]
    .map((calls) => {
      const { binding = "", worker = "", target = "" } = calls[0] ?? {};
      return { binding, worker, target, calls };
    })
    .toSorted((one, other) => other.calls.length - one.calls.length);
}
