/**
 * Counts the bytes of each proxy for `/metrics`. The journal can't, because it forgets.
 */

import type { JournalEntry } from "../scenario/journal.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { type ControlledProxy, proxiesOf, proxyOf } from "./proxies.ts";

interface Counted {
  proxy: ControlledProxy;
  /** Bytes from the Worker, and to it. */
  upstream: number;
  downstream: number;
}

export interface Traffic {
  /** In Prometheus' text format. */
  format(): string;
  close(): void;
}

export function createTraffic(scenario: Scenario): Traffic {
  const { journal } = scenario;
  const counts = new Map<string, Counted>();
  const counted = new WeakSet<JournalEntry>();
  const count = (entry: JournalEntry): void => {
    if (entry.duration === undefined || counted.has(entry)) return;
    counted.add(entry);
    const proxy = proxyOf(proxiesOf(scenario.context.table), entry);
    if (proxy === undefined) return;
    const { upstream = 0, downstream = 0 } = counts.get(proxy.proxyName) ?? {};
    const [sent, received] = entry.type === "request" ? [entry.body, entry.responseBody] : [entry.sent, entry.received];
    counts.set(proxy.proxyName, { proxy, upstream: upstream + sent.size, downstream: downstream + received.size });
  };
  journal.changes.on("entry", count);
  return {
    format: () => formatMetrics([...counts.values()]),
    close: () => void journal.changes.off("entry", count),
  };
}

/** Toxiproxy's names. Each proxy sends on what it receives. */
function formatMetrics(counts: readonly Counted[]): string {
  const lines = ["received", "sent"].flatMap((way) => {
    const metric = `toxiproxy_proxy_${way}_bytes_total`;
    const head = [`# HELP ${metric} Bytes ${way} by a proxy, by direction.`, `# TYPE ${metric} counter`];
    return head.concat(counts.flatMap((counted) => formatCounted(metric, counted)));
  });
  return `${lines.join("\n")}\n`;
}

function formatCounted(metric: string, { proxy, upstream, downstream }: Counted): string[] {
  const labels = `listener="",proxy=${quoteLabel(proxy.proxyName)},upstream=${quoteLabel(proxy.upstream)}`;
  return [
    `${metric}{direction="downstream",${labels}} ${downstream}`,
    `${metric}{direction="upstream",${labels}} ${upstream}`,
  ];
}

function quoteLabel(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
