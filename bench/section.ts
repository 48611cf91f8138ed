/**
 * The measured parts of docs/performance.md. Each lies between two markers, is made from one file in results/, and holds no
 * figure that somebody typed.
 *
 *   bench/results/http.json ──▶ formatSection ──▶ replaceSection ──▶ docs/performance.md
 */

import { formatRange, formatRatio, formatSummary, verdictsOf } from "./format.ts";
import type { Machine } from "./machine.ts";
import type { BenchReport } from "./report.ts";

/** Each suite has a section. */
export const SUITES = ["http", "tcp", "postgres", "scale", "decide", "start", "install", "rules", "page"] as const;
export type SuiteName = (typeof SUITES)[number];

/** "against" is a run of its own, not a suite. */
export const SECTIONS: readonly string[] = [...SUITES, "against"];

/** What one suite has measured. */
export interface Section {
  /** What to type to measure it again. */
  command: string;
  machine: Machine;
  /** The load average of the last minute at the end. */
  loadAfter: string;
  /** What "before" is, if the suite compares two builds. */
  before?: string;
  reports: BenchReport[];
}

/** Of a suite that has no results yet. */
export function formatMissing(suite: string): string {
  return `Not measured yet: \`${commandOf(suite)}\`.`;
}

export function commandOf(suite: string): string {
  return suite === "against" ? "npm run bench -- --against DIR --write" : `npm run bench -- ${suite} --write`;
}

export function formatSection({ command, machine, loadAfter, before, reports }: Section): string {
  const { date, cores, kind, load, versions } = machine;
  return [
    `Written by \`${command}\` on ${date.slice(0, 10)}.`,
    [
      `- Machine: ${cores} ${cores === 1 ? "core" : "cores"}, ${kind}. Its load was ${load} at the start and ${loadAfter} at the end.`,
      `- Versions: ${versions}.`,
      ...(before === undefined ? [] : [`- "before" is ${before}.`]),
      `- Noise: ${formatNoise(reports)}.`,
      `- Goals: ${formatGoals(reports)}.`,
    ].join("\n"),
    formatSummary(reports),
  ].join("\n\n");
}

function formatNoise(reports: readonly BenchReport[]): string {
  const repeated = reports.flatMap(({ ratios }) => ratios).filter(({ subject }) => subject.endsWith(", again"));
  if (repeated.length === 0) return "no subject was measured twice";
  const medians = repeated.map(({ median }) => median);
  const range = formatRange({ low: Math.min(...medians), high: Math.max(...medians) }, formatRatio);
  const widest = {
    low: Math.min(...repeated.map(({ low }) => low)),
    high: Math.max(...repeated.map(({ high }) => high)),
  };
  return `the same subject measured twice gave ${range}; its intervals reach from ${formatRange(widest, formatRatio)}`;
}

function formatGoals(reports: readonly BenchReport[]): string {
  const verdicts = verdictsOf(reports);
  if (verdicts.length === 0) return "none";
  const missed = verdicts.filter((verdict) => verdict === "missed").length;
  const reached = verdicts.filter((verdict) => verdict === "reached").length;
  const open = verdicts.length - missed - reached;
  return `${reached} reached, ${missed} missed, ${open} in the noise`;
}

/**
 * Replaces what lies between a suite's markers, and nothing else.
 *
 * @throws {Error} if the markers aren't there exactly once, in order
 */
export function replaceSection(document: string, suite: string, body: string): string {
  const [begin, end] = markersOf(suite);
  const [before, middle, ...others] = document.split(begin);
  const [old, after, ...more] = middle?.split(end) ?? [];
  if (before === undefined || old === undefined || after === undefined || others.length + more.length > 0) {
    throw new Error(
      `docs/performance.md must have each of these lines once, in this order; write them where the table belongs:\n${begin}\n${end}`,
    );
  }
  return `${before}${begin}\n\n${body}\n\n${end}${after}`;
}

function markersOf(suite: string): [begin: string, end: string] {
  return [`<!-- bench ${suite}: ${commandOf(suite)} -->`, `<!-- end of bench ${suite} -->`];
}
