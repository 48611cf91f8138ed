/** The network as a whole: what leads where and answers now, and how the calls of each binding and target went. */

import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { NetworkView, ProbeView, TrafficRow } from "../traffic-view.ts";
import { askSession } from "./api.ts";
import { flowsOf } from "./chart-data.ts";
import { FlowCharts } from "./flow-charts.tsx";
import { countInWords } from "./format.ts";
import { NetworkPicture, NetworkTable } from "./network-picture.tsx";

/** Pairs of a binding and a target with charts. */
const SHOWN = 12;

interface OverviewProps {
  network: NetworkView;
  /** Those that the filters let through. */
  rows: readonly TrafficRow[];
}

export function Overview({ network, rows }: OverviewProps): VNode {
  const { probes, problem, probe } = useProbes(network);
  const flows = useMemo(() => flowsOf(rows), [rows]);
  const span = useMemo(() => spanOf(rows), [rows]);
  const room = useRef<HTMLElement>(null);
  // So that keys scroll it.
  useEffect(() => room.current?.focus(), []);
  return (
    <main class="overview" aria-label="Overview" tabIndex={-1} ref={room}>
      <section aria-labelledby="network-title">
        <div class="section-title">
          <h2 id="network-title">Network</h2>
          <span class="note" role="status">
            {problem ?? describeProbes(probes)}
          </span>
          <button onClick={probe} disabled={probes === undefined && problem === undefined}>
            Probe again
          </button>
        </div>
        <NetworkPicture network={network} probes={probes} />
        <NetworkTable network={network} probes={probes} />
      </section>
      <section aria-labelledby="calls-title">
        <div class="section-title">
          <h2 id="calls-title">Calls</h2>
          <span class="note">{countInWords(rows.length, "call")}, as the filters at the top let them through</span>
        </div>
        <FlowCharts title="All" note={countInWords(rows.length, "call")} calls={rows} span={span} />
        {flows.slice(0, SHOWN).map(({ binding, worker, target, calls }) => (
          <FlowCharts
            key={`${worker} ${binding} ${target}`}
            title={target === "" ? `${binding}, without a target` : `${binding} → ${target}`}
            note={`${worker}, ${countInWords(calls.length, "call")}`}
            calls={calls}
            span={span}
          />
        ))}
        {flows.length > SHOWN && (
          <p class="note">And {countInWords(flows.length - SHOWN, "more target")}: choose a binding.</p>
        )}
      </section>
    </main>
  );
}

/** Asks anew when the network has changed. */
function useProbes(network: NetworkView): {
  probes: readonly ProbeView[] | undefined;
  problem: string | undefined;
  probe: () => void;
} {
  const [probes, setProbes] = useState<readonly ProbeView[]>();
  const [problem, setProblem] = useState<string>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isWanted = true;
    setProbes(undefined);
    setProblem(undefined);
    const ask = async (): Promise<void> => {
      const answer = await askSession<ProbeView[]>("POST", "probe", {});
      if (!isWanted) return;
      setProbes(answer.content);
      setProblem(answer.problem);
    };
    void ask();
    return () => void (isWanted = false);
  }, [network, turn]);
  return { probes, problem, probe: () => setTurn((before) => before + 1) };
}

function describeProbes(probes: readonly ProbeView[] | undefined): string {
  if (probes === undefined) return "Dialling the targets …";
  if (probes.length === 0) return "No target can be dialled.";
  const silent = probes.filter(({ state }) => state !== "open").length;
  return silent === 0 ? "Every target answers." : `No answer from ${silent} of ${probes.length} targets.`;
}

/** From the first call until now, at least a minute. */
function spanOf(rows: readonly TrafficRow[]): { from: number; to: number } {
  const to = Math.max(0, ...rows.map(({ startedAt, duration = 0 }) => startedAt + duration));
  const end = to === 0 ? Date.now() : to;
  const from = rows.reduce((earliest, { startedAt }) => Math.min(earliest, startedAt), end);
  return { from: Math.min(from, end - 60_000), to: end };
}
