/** The three charts that production's Metrics tab has, for some calls: outcomes, latency, errors. And the same as a table. */

import type { VNode } from "preact";
import { useMemo } from "preact/hooks";

import type { TrafficRow } from "../traffic-view.ts";
import { type Metrics, type Series, measure, quantileOf } from "./chart-data.ts";
import { Chart, formatCount, formatLatency } from "./chart.tsx";
import { countInWords, formatTime } from "./format.ts";

interface FlowChartsProps {
  title: string;
  note: string;
  calls: readonly TrafficRow[];
  span: { from: number; to: number };
}

const OUTCOMES: Record<string, string> = { succeeded: "good", failed: "bad", refused: "wrong" };

function total(values: readonly (number | null)[]): string {
  return formatCount(values.reduce<number>((sum, value) => sum + (value ?? 0), 0));
}

export function FlowCharts({ title, note, calls, span }: FlowChartsProps): VNode {
  const metrics = useMemo(() => measure(calls, span), [calls, span.from, span.to]);
  const { starts, outcomes, latencies, errors } = metrics;
  const sorted = useMemo(
    () => calls.flatMap(({ duration }) => duration ?? []).toSorted((one, other) => one - other),
    [calls],
  );
  const overall = (name: string): string => {
    const value = quantileOf(sorted, Number(name.slice(1)) / 100);
    return value === null ? "–" : formatLatency(value);
  };
  return (
    <section class="flow" aria-label={title}>
      <h3>
        {title} <span class="note">{note}</span>
      </h3>
      <div class="charts">
        <Chart
          title="Connections by outcome"
          starts={starts}
          series={outcomes}
          form="bars"
          format={formatCount}
          sum={total}
          classOf={(name) => `tone-${OUTCOMES[name]}`}
        />
        <Latency starts={starts} latencies={latencies} overall={overall} />
        <Chart
          title="Errors by code"
          starts={starts}
          series={errors}
          form="bars"
          format={formatCount}
          sum={total}
          classOf={(_, index) => `tone-${index + 1}`}
        />
      </div>
      <AsTable title={title} metrics={metrics} />
    </section>
  );
}

interface LatencyProps extends Pick<Metrics, "starts" | "latencies"> {
  overall: (name: string) => string;
}

function Latency({ starts, latencies, overall }: LatencyProps): VNode {
  const nameOf = new Map(latencies.map(({ name, values }) => [values, name]));
  return (
    <Chart
      title="Latency"
      starts={starts}
      series={latencies}
      form="lines"
      format={formatLatency}
      sum={(values) => overall(nameOf.get(values) ?? "")}
      classOf={(_, index) => `tone-${index + 1}`}
    />
  );
}

/** Periods without a call are left out. */
function AsTable({
  title,
  metrics: { starts, outcomes, latencies, errors },
}: {
  title: string;
  metrics: Metrics;
}): VNode {
  const all: readonly Series<number | null>[] = [...outcomes, ...latencies, ...errors];
  const latencyNames = new Set(latencies.map(({ name }) => name));
  const periods = starts.flatMap((start, period) =>
    outcomes.some(({ values }) => values[period] !== 0) ? [{ start, period }] : [],
  );
  return (
    <details class="as-table">
      <summary>As a table, {countInWords(periods.length, "period")}</summary>
      <div class="scroller" tabIndex={0} role="group" aria-label={`${title}, as a table`}>
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              {all.map(({ name }) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {periods.map(({ start, period }) => (
              <tr key={start}>
                <th scope="row">{formatTime(start).slice(0, 8)}</th>
                {all.map(({ name, values }) => {
                  const value = values[period] ?? null;
                  return (
                    <td key={name}>{value === null ? "–" : latencyNames.has(name) ? formatLatency(value) : value}</td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
