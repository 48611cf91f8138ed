/** Many requests and sockets while targets fail: lost calls, wrong answers, and growing memory or descriptors. */

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

import { type Chaos, type Failure, startChaos } from "./chaos.ts";
import { type Usage, usageOf } from "./processes.ts";
import type { Report } from "./report.ts";
import { type Load, TUNNEL, startLoad } from "./start.ts";

const TARGETS = 4;
const CONCURRENCY = 32;
/** Megabytes per process. A long run settles below. */
const MAX_MEMORY = 700;

export interface Counts {
  requests: number;
  sockets: number;
  /** The number of sockets that are open at once. */
  open: number;
  /** The number of parts of a run. Between them, load stops and memory is measured. */
  pieces: number;
  isQuick: boolean;
}

export async function soakUnderLoad(
  { requests, sockets, open, pieces, isQuick }: Counts,
  report: Report,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "vpc-soak-"));
  await using chaos = await startChaos(TARGETS, folder);
  const routes = chaos.targets.flatMap(({ name, httpPort, tcpPort, socketPath }): [string, string][] => [
    [`${name}.direct`, `127.0.0.1:${httpPort}`],
    // The port is known only with the call, so the call goes through the egress proxy.
    [`${name}.egress`, "127.0.0.1"],
    [`${name}.tcp:1`, `127.0.0.1:${tcpPort}`],
    [`${name}.unix:1`, `unix:${socketPath}`],
  ]);
  await using load = await startLoad({
    traffic: false,
    // The targets are children of this process, so their ports count as the session's own.
    workerLimit: 10_000,
    networks: { [TUNNEL]: { routes: Object.fromEntries(routes) } },
  });

  const urls = chaos.targets.flatMap(({ name, httpPort }) => [
    { name, url: `http://${name}.direct` },
    { name, url: `http://${name}.egress:${httpPort}` },
  ]);
  const addresses = chaos.targets.flatMap(({ name }) => [
    { name, address: `${name}.tcp:1` },
    { name, address: `${name}.unix:1` },
  ]);
  await soak({ op: "requests", count: requests, hosts: urls, pieces, isQuick, chaos, load }, report);
  await soak({ op: "sockets", count: sockets, hosts: addresses, pieces, isQuick, chaos, load }, report);
  await openAtOnce({ count: open, chaos, load }, report);
  await rm(folder, { recursive: true });
}

interface Soak {
  op: "requests" | "sockets";
  count: number;
  hosts: object[];
  pieces: number;
  isQuick: boolean;
  chaos: Chaos;
  load: Load;
}

async function soak({ op, count, hosts, pieces, isQuick, chaos, load }: Soak, report: Report): Promise<void> {
  const size = Math.ceil(count / pieces);
  const before = { ...chaos.counts };
  const started = Date.now();
  const failures: Failure[] = [];
  const usages: { node: Usage; runtime: Usage }[] = [];
  for (let piece = 0; piece < pieces; piece++) {
    const stop = chaos.begin();
    const argument = { hosts, count: size, concurrency: CONCURRENCY, first: piece * size };
    failures.push(...(await load.call<Failure[]>(op, argument)));
    await stop();
    usages.push(await measure(load));
    report.progress(`${op}: ${(piece + 1) * size}`);
  }
  const seconds = (Date.now() - started) / 1000;

  const reasons = Map.groupBy(failures, (failure) => chaos.explain(failure) ?? "unexplained");
  for (const [reason, some] of reasons) report.figure(`failed ${op}: ${reason}`, some.length);
  report.figure(op, size * pieces, `${Math.round((size * pieces) / seconds)} a second`);
  for (const [kind, times] of Object.entries(chaos.counts))
    report.figure(`targets: ${kind}`, times - (before[kind] ?? 0));
  const unexplained = (reasons.get("unexplained") ?? []).map((failure) =>
    Object.assign(failure, { around: chaos.around(failure) }),
  );
  report.expect(
    `${op}: no wrong answer and no hang`,
    unexplained.filter(({ isWrong }) => isWrong),
  );
  report.expect(
    `${op}: none lost without a reason`,
    unexplained.filter(({ isWrong }) => !isWrong),
  );
  for (const process of ["node", "runtime"] as const) {
    const all = usages.map((usage) => usage[process]);
    // Heaps grow for a while before the first full collection. Growth after half of the run is a leak.
    const middle = Math.floor(pieces / 2);
    const [first, last] = [all.slice(middle - 1, middle + 1), all.slice(-2)];
    const memory = [first, last].map((some) => mean(some.map((usage) => usage.memory)) / 1e6);
    const descriptors = [first, last].map((some) => mean(some.map((usage) => usage.descriptors)));
    const [was = 0, is = 0] = memory;
    report.figure(
      `${op}: memory of ${process}`,
      `${was.toFixed(0)} → ${is.toFixed(0)} MB`,
      all.map((usage) => (usage.memory / 1e6).toFixed(0)).join(" "),
    );
    report.figure(
      `${op}: descriptors of ${process}`,
      descriptors.join(" → "),
      all.map((usage) => usage.descriptors).join(" "),
    );
    // A quick run ends before the heaps reach their size.
    const isTooMuch = isQuick ? is > MAX_MEMORY : is - was > was * 0.15;
    report.expect(`${op}: memory of ${process} is ${isQuick ? "bounded" : "flat"}`, isTooMuch ? [memory] : []);
    // For each target, the proxy keeps a few dozen connections and as many as were in use at once. A lane has two.
    const [had = 0, has = 0] = descriptors;
    const kept = (2 * TARGETS + 3) * CONCURRENCY;
    report.expect(`${op}: descriptors of ${process} are flat`, has - had > kept ? [descriptors] : []);
    report.expect(
      `${op}: ${process} has the same listeners`,
      new Set(all.map(({ listeners }) => listeners)).size > 1 ? all : [],
    );
  }
}

/** Measures after a garbage collection, when connections are closed. */
async function measure({ runtime }: Load): Promise<{ node: Usage; runtime: Usage }> {
  globalThis.gc?.();
  await setTimeout(250);
  return { node: usageOf(process.pid), runtime: usageOf(runtime) };
}

async function openAtOnce(
  { count, chaos, load }: { count: number; chaos: Chaos; load: Load },
  report: Report,
): Promise<void> {
  const [target] = chaos.targets;
  if (target === undefined) return;
  for (const way of ["tcp", "unix"]) {
    const addresses = Array.from({ length: count }, () => `${target.name}.${way}:1`);
    const started = performance.now();
    const wrong = await load.call<string[]>("atOnce", { addresses });
    report.figure(`sockets at once, ${way}`, count, `${Math.round(performance.now() - started)} ms`);
    report.expect(`${count} sockets at once over ${way}`, wrong);
  }
  const most = await chaos.mostTcp(target.name);
  report.expect("the sockets were open at once", most < count ? [most] : []);
  const { descriptors } = usageOf(load.runtime);
  const settled = await waitFor(() => usageOf(load.runtime).descriptors < Math.max(descriptors - count, 200));
  report.expect("the sockets are closed afterwards", settled ? [] : [usageOf(load.runtime)]);
}

/** @returns whether it became true within ten seconds */
export async function waitFor(isTrue: () => boolean): Promise<boolean> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await setTimeout(20)) if (isTrue()) return true;
  return false;
}

function mean(values: number[]): number {
  return Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
}
