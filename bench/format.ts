/** Makes text of the results of a suite: for the terminal, and the tables of docs/performance.md. */

import type { Interval } from "./measure.ts";
import type { BenchReport, Figure, Plain, Unit } from "./report.ts";

/** "In the noise" means that the interval holds the goal. */
export type Verdict = "reached" | "reached, in the noise" | "missed, in the noise" | "missed";

/** @returns undefined without a goal */
export function judge({ goal, median, low, high }: Interval & { goal?: number }): Verdict | undefined {
  if (goal === undefined) return undefined;
  if (high <= goal) return "reached";
  if (low > goal) return "missed";
  return median <= goal ? "reached, in the noise" : "missed, in the noise";
}

/** Every verdict of the reports, one for each goal. */
export function verdictsOf(reports: readonly BenchReport[]): Verdict[] {
  return reports
    .flatMap((found) => [...found.ratios, ...plainFigures(found)])
    .map(judge)
    .filter((verdict) => verdict !== undefined);
}

/** Markdown that is also aligned for the terminal. */
export function formatReport(found: BenchReport): string {
  const measured = found.figures.map((figure) => [
    figure.subject,
    formatValue(figure.median, figure.unit),
    formatRange(figure, (value) => formatValue(value, figure.unit)),
    figure.megabytes === undefined ? "" : `${Math.round((figure.megabytes / figure.median) * 1000)} MB/s`,
    String(figure.rounds),
  ]);
  const compared = formatSummary([found]);
  return [
    `### ${found.title}`,
    formatTable(["", found.operation, "95 %", "throughput", "rounds"], measured),
    ...(compared === "" ? [] : [compared]),
  ].join("\n\n");
}

const COLUMNS = ["", "subject", "median", "against", "ratio", "95 %", "goal", "verdict"];

/** The table of docs/performance.md: all comparisons, and the figures that stand alone. Empty without any. */
export function formatSummary(reports: readonly BenchReport[]): string {
  const rows = reports.flatMap(summarise);
  return rows.length === 0 ? "" : formatTable(COLUMNS, rows);
}

function summarise(found: BenchReport): string[][] {
  const bySubject = new Map(found.figures.map((figure) => [figure.subject, figure]));
  const compared = found.ratios.map((each) => {
    const figure = bySubject.get(each.subject);
    return [
      each.subject,
      figure === undefined ? "" : formatValue(figure.median, figure.unit),
      each.against,
      formatRatio(each.median),
      formatRange(each, formatRatio),
      each.goal === undefined ? "" : `≤ ${formatRatio(each.goal)}`,
      formatVerdict(judge(each)),
    ];
  });
  const alone = plainFigures(found).map((figure) => {
    const format = (value: number): string => formatValue(value, figure.unit);
    const goal = figure.goal === undefined ? "" : `≤ ${format(figure.goal)}`;
    return [
      figure.subject,
      format(figure.median),
      "",
      "",
      formatRange(figure, format),
      goal,
      formatVerdict(judge(figure)),
    ];
  });
  return [...compared, ...alone].map((row, index) => [index === 0 ? found.title : ""].concat(row));
}

function plainFigures({ figures, plain = [] }: BenchReport): (Figure & Plain)[] {
  return plain.map((each) => {
    const figure = figures.find(({ subject }) => subject === each.subject);
    if (figure === undefined) throw new Error(`there is no figure of ${JSON.stringify(each.subject)}`);
    return { ...figure, ...each };
  });
}

function formatVerdict(verdict: Verdict | undefined): string {
  return verdict === "missed" ? `**${verdict}**` : (verdict ?? "");
}

export function formatRange({ low, high }: Pick<Interval, "low" | "high">, format: (value: number) => string): string {
  return `${format(low)} to ${format(high)}`;
}

export function formatRatio(value: number): string {
  return `${value.toFixed(2)} ×`;
}

function formatValue(value: number, unit: Unit): string {
  if (unit === "MB") return `${value.toFixed(value >= 10 ? 1 : 2)} MB`;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  if (value >= 1) return `${value.toFixed(value >= 100 ? 0 : 1)} ms`;
  return `${(value * 1000).toFixed(value >= 0.01 ? 0 : 2)} µs`;
}

/** Omits empty columns. The form is the formatter's own, so that it changes nothing. */
function formatTable(columns: string[], rows: string[][]): string {
  const isUsed = columns.map((_, index) => rows.some((row) => row[index] !== ""));
  const used = (cells: string[]): string[] => cells.filter((_, index) => isUsed[index]);
  const [head = [], ...body] = [columns, ...rows].map(used);
  const widths = head.map((cell, index) => Math.max(3, cell.length, ...body.map((row) => row[index]?.length ?? 0)));
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join("\n");
}
