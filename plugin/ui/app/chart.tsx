/** A chart over time as SVG: stacked bars, or lines. */

import type { VNode } from "preact";

import type { Series } from "./chart-data.ts";
import { formatDuration, formatTime } from "./format.ts";

interface ChartProps {
  title: string;
  starts: readonly number[];
  series: readonly Series<number | null>[];
  form: "bars" | "lines";
  /** Of a value, for its scale and legend. */
  format: (value: number) => string;
  /** Of all values of a series, for its legend. */
  sum: (values: readonly (number | null)[]) => string;
  /** A class for each series. */
  classOf: (name: string, index: number) => string;
}

/** In the units of the picture. */
const WIDTH = 360;
const HEIGHT = 128;
const LEFT = 46;
const BOTTOM = 18;
const TOP = 8;
const PLOT = HEIGHT - BOTTOM - TOP;

export function Chart({ title, starts, series, form, format, sum, classOf }: ChartProps): VNode {
  const top = roundUp(
    form === "bars" ? highestStack(series) : Math.max(0, ...series.flatMap(({ values }) => values.map(orZero))),
  );
  const step = (WIDTH - LEFT) / starts.length;
  const at = (value: number): number => TOP + PLOT - (value / top) * PLOT;
  const first = starts[0] ?? 0;
  const last = starts.at(-1) ?? 0;
  const legend = series.map(({ name, values }) => `${name} ${sum(values)}`);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}: ${legend.join(", ") || "none"}`}>
        {[0, 0.5, 1].map((share) => (
          <g key={share}>
            <line class="rule" x1={LEFT} x2={WIDTH} y1={at(share * top)} y2={at(share * top)} />
            <text x={LEFT - 6} y={at(share * top) + 3.5} text-anchor="end">
              {share === 0.5 && top < 2 && form === "bars" ? "" : format(share * top)}
            </text>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 4}>
          {formatTime(first).slice(0, 8)}
        </text>
        <text x={WIDTH} y={HEIGHT - 4} text-anchor="end">
          {formatTime(last).slice(0, 8)}
        </text>
        {form === "bars" ? (
          <Bars series={series} step={step} at={at} classOf={classOf} />
        ) : (
          series.map(({ name, values }, index) => (
            <Line key={name} values={values} step={step} at={at} className={classOf(name, index)} />
          ))
        )}
      </svg>
      <ul class="legend">
        {series.map(({ name, values }, index) => (
          <li key={name}>
            <span class={`swatch ${classOf(name, index)}`} aria-hidden="true" />
            {name} <b>{sum(values)}</b>
          </li>
        ))}
        {series.length === 0 && <li>none</li>}
      </ul>
    </figure>
  );
}

interface BarsProps extends Pick<ChartProps, "series" | "classOf"> {
  step: number;
  at: (value: number) => number;
}

function Bars({ series, step, at, classOf }: BarsProps): VNode {
  const heights = (series[0]?.values ?? []).map(() => 0);
  return (
    <>
      {series.map(({ name, values }, index) => (
        <g key={name} class={classOf(name, index)}>
          {values.map((value, period) => {
            const count = orZero(value);
            if (count === 0) return null;
            const below = heights[period] ?? 0;
            heights[period] = below + count;
            const y = at(below + count);
            return (
              <rect
                key={period}
                x={LEFT + period * step + step * 0.12}
                width={step * 0.76}
                y={y}
                height={at(below) - y}
              />
            );
          })}
        </g>
      ))}
    </>
  );
}

interface LineProps {
  values: readonly (number | null)[];
  step: number;
  at: (value: number) => number;
  className: string;
}

/** A period without a call is a gap. */
function Line({ values, step, at, className }: LineProps): VNode {
  const points = values.map((value, period) =>
    value === null ? undefined : ([LEFT + (period + 0.5) * step, at(value)] as const),
  );
  const path = points
    .map((point, index) =>
      point === undefined ? "" : `${points[index - 1] === undefined ? "M" : "L"}${point.join(" ")}`,
    )
    .join("");
  return (
    <g class={`${className} line`}>
      <path d={path} />
      {points.map((point, index) => point && <circle key={index} cx={point[0]} cy={point[1]} r={1.8} />)}
    </g>
  );
}

function orZero(value: number | null): number {
  return value ?? 0;
}

function highestStack(series: readonly Series<number | null>[]): number {
  const periods = series[0]?.values ?? [];
  return Math.max(
    0,
    ...periods.map((_, period) => series.reduce((sum, { values }) => sum + orZero(values[period] ?? 0), 0)),
  );
}

/** 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

export function formatCount(value: number): string {
  return value.toLocaleString("en", { notation: "compact" });
}

export function formatLatency(value: number): string {
  return value === 0 ? "0" : formatDuration(value);
}
