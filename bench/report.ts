/** What a suite found, as data and as a table. Measures nothing. */

import { type Interval, type Samples, interval, ratio, samplesOf } from "./measure.ts";

export interface Report {
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
  /** Per operation, where the operation moves bytes. */
  megabytes?: number;
  /** To reach: at most. */
  goal?: number;
}

export interface Ratio extends Interval {
  subject: string;
  against: string;
  /** To reach: at most. */
  goal?: number;
  /** Added milliseconds in place of a ratio. */
  isDifference?: boolean;
}

/** Two subjects to compare. */
export interface Pair {
  subject: string;
  against: string;
  goal?: number;
  isDifference?: boolean;
}

export interface ReportOptions {
  title: string;
  operation: string;
  samples: Samples;
  pairs: readonly Pair[];
  unit?: Figure["unit"];
  megabytes?: number;
  /** Of every figure, in `unit`. */
  goal?: number;
}

export function report({ title, operation, samples, pairs, unit = "ms", megabytes, goal }: ReportOptions): Report {
  const figures: Figure[] = [];
  for (const [subject, values] of samples) {
    figures.push({
      subject,
      unit,
      rounds: values.length,
      ...interval(values),
      ...(megabytes !== undefined && { megabytes }),
      ...(goal !== undefined && { goal }),
    });
  }
  return { title, operation, figures, ratios: pairs.map((pair) => compare(samples, pair)) };
}

function compare(samples: Samples, pair: Pair): Ratio {
  if (!pair.isDifference) return { ...pair, ...ratio(samples, pair.subject, pair.against) };
  const others = samplesOf(samples, pair.against);
  const differences = samplesOf(samples, pair.subject).map((value, round) => value - (others[round] ?? Number.NaN));
  return { ...pair, ...interval(differences) };
}

/** Markdown, aligned for the terminal as well. */
export function formatReport({ title, operation, figures, ratios }: Report): string {
  const measured = figures.map((figure) => [
    figure.subject,
    formatValue(figure.median, figure.unit),
    `${formatValue(figure.low, figure.unit)} to ${formatValue(figure.high, figure.unit)}`,
    figure.megabytes === undefined ? "" : `${Math.round((figure.megabytes / figure.median) * 1000)} MB/s`,
    String(figure.rounds),
    figure.goal === undefined ? "" : `≤ ${formatValue(figure.goal, figure.unit)}`,
    verdict(figure),
  ]);
  const compared = ratios.map((found) => [
    found.subject,
    found.against,
    formatRatio(found, found.median),
    `${formatRatio(found, found.low)} to ${formatRatio(found, found.high)}`,
    found.goal === undefined ? "" : `≤ ${formatRatio(found, found.goal)}`,
    verdict(found),
  ]);
  return [
    `### ${title}`,
    formatTable(["", operation, "95 %", "throughput", "rounds", "goal", ""], measured),
    ...(compared.length > 0 ? [formatTable(["", "against", "ratio", "95 %", "goal", ""], compared)] : []),
  ].join("\n\n");
}

/** All comparisons in one table, and of the figures that have a goal of their own the slowest: the table of docs/performance.md. */
export function formatSummary(reports: readonly Report[]): string {
  const columns = ["", "subject", "median", "against", "ratio", "95 %", "goal", ""];
  return formatTable(columns, reports.flatMap(summarise));
}

function summarise({ title, figures, ratios }: Report): string[][] {
  const bySubject = new Map(figures.map((figure) => [figure.subject, figure]));
  const compared = ratios.map((found) => {
    const figure = bySubject.get(found.subject);
    return [
      found.subject,
      figure === undefined ? "" : formatValue(figure.median, figure.unit),
      found.against,
      formatRatio(found, found.median),
      `${formatRatio(found, found.low)} to ${formatRatio(found, found.high)}`,
      found.goal === undefined ? "" : `≤ ${formatRatio(found, found.goal)}`,
      verdict(found),
    ];
  });
  const absolute = figures
    .filter(({ goal }) => goal !== undefined)
    .toSorted((a, b) => b.median - a.median)
    .slice(0, 1)
    .map(({ subject, unit, median, low, high, goal = 0 }) => {
      const range = `${formatValue(low, unit)} to ${formatValue(high, unit)}`;
      return [
        subject,
        formatValue(median, unit),
        "",
        "",
        range,
        `≤ ${formatValue(goal, unit)}`,
        verdict({ goal, median, low, high }),
      ];
    });
  return compared.concat(absolute).map((row, index) => [index === 0 ? title : ""].concat(row));
}

function verdict({ goal, median, low, high }: Interval & { goal?: number }): string {
  if (goal === undefined) return "";
  if (high <= goal) return "reached";
  if (low > goal) return "missed";
  return median <= goal ? "reached, within the noise" : "missed, within the noise";
}

function formatRatio({ isDifference = false }: Pair, value: number): string {
  return isDifference ? `${value < 0 ? "−" : "+"}${formatValue(Math.abs(value), "ms")}` : `${value.toFixed(2)} ×`;
}

function formatValue(value: number, unit: Figure["unit"]): string {
  if (unit === "MB") return `${value.toFixed(1)} MB`;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  if (value >= 1) return `${value.toFixed(value >= 100 ? 0 : 1)} ms`;
  return `${(value * 1000).toFixed(value >= 0.01 ? 0 : 2)} µs`;
}

/** Columns in which nothing stands are left out. */
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
