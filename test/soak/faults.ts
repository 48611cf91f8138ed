/** Rules and faults that come and go under load: who answers what, what hangs, and what is left of it. */

import { setTimeout } from "node:timers/promises";

import {
  type Fault,
  type Vpc,
  connectVpc,
  down,
  httpStatus,
  latency,
  limitData,
  resetPeer,
  timeout,
  truncate,
} from "miniflare-vpc/test/node";

import { findRunning } from "../../plugin/scenario/running.ts";
import type { Scenario } from "../../plugin/scenario/scenario.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer } from "../servers/tcp-server.ts";
import { usageOf } from "./processes.ts";
import type { Report } from "./report.ts";
import { type Load, TUNNEL, startLoad } from "./start.ts";
import { waitFor } from "./under-load.ts";

const CONCURRENCY = 6;
/** Milliseconds of one call to the Worker, and the longest that one may take. */
const WATCH = 500;
const HANG = 60_000;
/** Milliseconds by which the clocks may differ, because workerd's stands still while it computes. */
const BLUR = 100;
const RULES = 200;

const HTTP_FAULTS: readonly Fault[] = [
  latency(20, { jitter: 10 }),
  resetPeer(),
  down(),
  limitData(10),
  timeout(0),
  timeout(20),
  httpStatus(503),
  truncate(2),
  latency(20, { toxicity: 0.5, stream: "upstream" }),
];
const TCP_FAULTS = HTTP_FAULTS.filter(({ type }) => type !== "http_status" && type !== "truncate");

type Answer = [started: number, ended: number, answer: string];

/** When something was surely in force, and when it may have been. */
interface Span {
  begins: number;
  inForce: number;
  ends: number;
  gone: number;
}

export async function soakFaults(changes: number, report: Report): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const origin = stack.use(await startHttpOrigin(ok("origin")));
  const server = stack.use(await startTcpServer(echo, { allowHalfOpen: true }));
  const target = `127.0.0.1:${origin.port}`;
  const load = stack.use(
    await startLoad({
      traffic: false,
      networks: {
        [TUNNEL]: {
          routes: {
            "faulty.internal": target,
            "ruled.internal": target,
            "other.internal": target,
            "tcp.internal:1": `127.0.0.1:${server.port}`,
          },
        },
      },
    }),
  );
  const vpc = stack.use(await connectVpc(load.miniflare));
  const scenario = await scenarioOf(load);
  const usage = (): object[] => [process.pid, load.runtime].map((pid) => usageOf(pid));

  await change(vpc, HTTP_FAULTS.length, { who: "faulty.internal", faults: HTTP_FAULTS, during: [] });
  const before = usage() as { listeners: number; descriptors: number }[];
  const isOver = new AbortController();
  const loads = ["http://faulty.internal/", "http://ruled.internal/", "http://other.internal/", "tcp.internal:1"].map(
    (url) => watch(load, url, isOver.signal),
  );
  const [onHttp, onTcp, rules]: [Span[], Span[], Span[]] = [[], [], []];
  await Promise.all([
    change(vpc, changes, { who: "faulty.internal", faults: HTTP_FAULTS, during: onHttp }),
    change(vpc, changes, { who: "tcp.internal:1", faults: TCP_FAULTS, during: onTcp }),
    changeRules(vpc, rules),
  ]);
  isOver.abort();
  const [faulty = [], ruled = [], other = [], tcp = []] = await Promise.all(loads);
  report.figure("faults added and removed", changes * 2);
  report.figure("calls meanwhile", faulty.length + ruled.length + other.length + tcp.length);
  report.expect(
    "no call hangs",
    [...faulty, ...ruled, ...other, ...tcp].filter(([, , answer]) => answer === "hangs"),
  );
  report.expect(
    "a fault changes no other answer",
    other.filter(([, , answer]) => answer !== "origin"),
  );
  report.expect("requests fail only while a fault is in force", wrongUnder(onHttp, faulty));
  report.expect("connections fail only while a fault is in force", wrongUnder(onTcp, tcp));
  report.figure("rules changed", RULES);
  report.expect(
    `${RULES} rules, and no request answered by a wrong one`,
    ruled.filter((answer) => isWrongRule(rules, answer)),
  );

  const isSettled = await waitFor(() => scenario.openCalls === 0);
  report.expect("every call is over", isSettled ? [] : [scenario.openCalls]);
  await vpc.reset();
  const afterwards = await Promise.all(
    ["http://faulty.internal/", "http://ruled.internal/"].map((url) => load.call<string>("ask", { url })),
  );
  report.expect(
    "everything works once they are removed",
    afterwards.filter((answer) => answer !== "origin"),
  );
  globalThis.gc?.();
  const isFlat = await waitFor(() =>
    (usage() as typeof before).every(
      ({ listeners, descriptors }, index) =>
        listeners === before[index]?.listeners && descriptors - before[index].descriptors <= CONCURRENCY * 4 * 3,
    ),
  );
  report.expect("they leave no port, socket or descriptor open", isFlat ? [] : [before, usage()]);
}

async function scenarioOf({ miniflare }: Load): Promise<Scenario> {
  const { MINIFLARE_VPC: id } = await miniflare.getBindings<Record<string, string>>();
  const running = findRunning(String(id));
  if (running === undefined) throw new Error("the instance has no scenario");
  return running.scenario;
}

/** Adds the faults in turn, each for a while, sometimes with the next one on top. */
async function change(
  vpc: Vpc,
  count: number,
  { who, faults, during }: { who: string; faults: readonly Fault[]; during: Span[] },
): Promise<void> {
  for (let index = 0; index < count; index++) {
    const fault = faults[index % faults.length];
    const more = faults[(index * 5 + 1) % faults.length];
    if (fault === undefined || more === undefined) continue;
    const begins = Date.now();
    const rules = [await vpc.on(who).fault(fault)];
    const inForce = Date.now();
    if (index % 3 === 0) rules.push(await vpc.on(who).fault(more));
    await setTimeout(20 + Math.random() * 60);
    const ends = Date.now();
    for (const rule of rules) await rule.remove();
    during.push({ begins, inForce, ends, gone: Date.now() });
    await setTimeout(BLUR * 3 * Math.random());
  }
}

/** The rule's text is its position in the list. */
async function changeRules(vpc: Vpc, during: Span[]): Promise<void> {
  for (let index = 0; index < RULES; index++) {
    const begins = Date.now();
    const rule = await vpc.on("ruled.internal").respond({ text: String(index) });
    const inForce = Date.now();
    await setTimeout(Math.random() * 20);
    const ends = Date.now();
    await rule.remove();
    during.push({ begins, inForce, ends, gone: Date.now() });
  }
}

async function watch(load: Load, url: string, signal: AbortSignal): Promise<Answer[]> {
  const answers: Answer[] = [];
  const op = url.startsWith("http") ? "watch" : "echoes";
  while (!signal.aborted) {
    const started = Date.now();
    const given = AbortSignal.timeout(HANG);
    const hang = new Promise<Answer[]>((resolve) => {
      given.addEventListener("abort", () => resolve([[started, Date.now(), "hangs"]]));
    });
    answers.push(
      ...(await Promise.race([load.call<Answer[]>(op, { url, concurrency: CONCURRENCY, time: WATCH }), hang])),
    );
  }
  return answers;
}

/** What a fault may make of a call. */
const FAILED =
  /^$|^Error: ProxyError: (connection_terminated|connection_refused|http_response_incomplete)$|^Error: Network connection lost\.?$|^ended early$/;

function wrongUnder(spans: readonly Span[], answers: readonly Answer[]): Answer[] {
  return answers.filter(([started, ended, answer]) => {
    if (answer === "origin") return false;
    const met = spans.some(({ begins, gone }) => begins - BLUR <= ended && started <= gone + BLUR);
    return !met || !FAILED.test(answer);
  });
}

function isWrongRule(rules: readonly Span[], [started, ended, answer]: Answer): boolean {
  if (answer === "origin") return rules.some(({ inForce, ends }) => inForce + BLUR < started && ended + BLUR < ends);
  const rule = rules[Number(answer)];
  return answer === "" || rule === undefined || ended < rule.begins - BLUR || started > rule.gone + BLUR;
}
