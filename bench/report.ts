/** Formats the results of a suite as data and as a table. Measures nothing. */

import { type Interval, type Samples, interval, ratio } from "./measure.ts";

export interface BenchReport {
  title: string;
  /** What one operation is. */
  operation: string;
  figures: Figure[];
  ratios: Ratio[];
}

export interface Figure extends Interval {
  subject: string;
  unit: "ms" | "MB";
  rounds: number;
  /** Bytes per operation, if the operation moves bytes. */
  megabytes?: number;
}

/** Two subjects to compare. */
export interface Pair {
  subject: string;
  against: string;
  /** To reach: at most. A ratio, because it doesn't depend on the machine. */
  goal?: number;
}

export interface Ratio extends Pair, Interval {}

export interface ReportOptions {
  title: string;
  operation: string;
  samples: Samples;
  pairs: readonly Pair[];
  unit?: Figure["unit"];
  megabytes?: number;
}

export function report({ title, operation, samples, pairs, unit = "ms", megabytes }: ReportOptions): BenchReport {
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
  return { title, operation, figures, ratios };
}

/** Markdown that is also aligned for the terminal. */
export function formatReport({ title, operation, figures, ratios }: BenchReport): string {
  const measured = figures.map((figure) => [
    figure.subject,
    formatValue(figure.median, figure.unit),
    `${formatValue(figure.low, figure.unit)} to ${formatValue(figure.high, figure.unit)}`,
    figure.megabytes === undefined ? "" : `${Math.round((figure.megabytes / figure.median) * 1000)} MB/s`,
    String(figure.rounds),
  ]);
  const compared = ratios.map((found) => [
    found.subject,
    found.against,
    formatRatio(found.median),
    `${formatRatio(found.low)} to ${formatRatio(found.high)}`,
    found.goal === undefined ? "" : `≤ ${formatRatio(found.goal)}`,
    verdict(found),
  ]);
  return [
    `### ${title}`,
    formatTable(["", operation, "95 %", "throughput", "rounds"], measured),
    ...(compared.length > 0 ? [formatTable(["", "against", "ratio", "95 %", "goal", ""], compared)] : []),
  ].join("\n\n");
}

/** The table of docs/performance.md: all comparisons. */
export function formatSummary(reports: readonly BenchReport[]): string {
  const columns = ["", "subject", "median", "against", "ratio", "95 %", "goal", ""];
  return formatTable(columns, reports.flatMap(summarise));
}

function summarise({ title, figures, ratios }: BenchReport): string[][] {
  const bySubject = new Map(figures.map((figure) => [figure.subject, figure]));
  const compared = ratios.map((found) => {
    const figure = bySubject.get(found.subject);
    return [
      found.subject,
      figure === undefined ? "" : formatValue(figure.median, figure.unit),
      found.against,
      formatRatio(found.median),
      `${formatRatio(found.low)} to ${formatRatio(found.high)}`,
      found.goal === undefined ? "" : `≤ ${formatRatio(found.goal)}`,
      verdict(found),
    ];
  });
  return compared.map((row, index) => [index === 0 ? title : ""].concat(row));
}

function verdict({ goal, median, low, high }: Interval & { goal?: number }): string {
  if (goal === undefined) return "";
  if (high <= goal) return "reached";
  if (low > goal) return "missed";
  return median <= goal ? "reached, within the noise" : "missed, within the noise";
}

function formatRatio(value: number): string {
  return `${value.toFixed(2)} ×`;
}

function formatValue(value: number, unit: Figure["unit"]): string {
  if (unit === "MB") return `${value.toFixed(1)} MB`;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  if (value >= 1) return `${value.toFixed(value >= 100 ? 0 : 1)} ms`;
  return `${(value * 1000).toFixed(value >= 0.01 ? 0 : 2)} µs`;
}

/** Omits empty columns. */
function formatTable(columns: string[], rows: string[][]): string {
  const isUsed = columns.map((_, index) => rows.some((row) => row[index] !== ""));
  const used = (cells: string[]): string[] => cells.filter((_, index) => isUsed[index]);
  const [head, ...body] = [columns, ...rows].map(used);
  if (head === undefined) return "";
  const widths = head.map((cell, index) => Math.max(cell.length, ...body.map((row) => row[index]?.length ?? 0)));
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join("\n");
}
