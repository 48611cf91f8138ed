/** Compares `env.B.fetch()` with every other way from a Worker to the same upstream. */

import type { BenchInstance } from "./instance.ts";
import { type Subject, again, measure } from "./measure.ts";
import { type Pair, type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";

interface Way {
  name: string;
  instance: BenchInstance;
  through?: string;
  /** Ends with a slash. */
  url: string;
}

const BARE = "bare fetch";
const EXTERNAL = "external binding";
/** workerd's own client: what TLS costs by itself. */
const EXTERNAL_TLS = "external binding, https";
const NODE = "Node function";
const SERVICE_BINDING = "binding of a Worker";
const HTTP = "http";
const TRAFFIC = "http, traffic lines";
const LATE = "http, target known late";
const HTTPS = "https";
const LATE_HTTPS = "https, target known late";
const GET = "http, GET";
const WORKER = "worker:";

function waysTo({ upstream, quiet, talking }: SuiteContext): Way[] {
  const net = { instance: quiet, through: "NET" };
  const origin = `http://127.0.0.1:${upstream.http}/`;
  return [
    { name: BARE, instance: quiet, url: origin },
    { name: EXTERNAL, instance: quiet, through: "EXTERNAL", url: origin },
    { name: EXTERNAL_TLS, instance: quiet, through: "EXTERNAL_TLS", url: "https://api.internal/" },
    { name: NODE, instance: quiet, through: "NODE", url: "http://api.internal/" },
    { name: HTTP, ...net, url: "http://api.internal/" },
    { name: TRAFFIC, instance: talking, through: "NET", url: "http://api.internal/" },
    { name: LATE, ...net, url: `http://a.late.internal:${upstream.http}/` },
    { name: HTTPS, ...net, url: "https://api.internal/" },
    { name: LATE_HTTPS, ...net, url: `https://a.late.internal:${upstream.https}/` },
    { name: SERVICE_BINDING, instance: quiet, through: "STAND_IN", url: "http://worker.internal/" },
    { name: WORKER, ...net, url: "http://worker.internal/" },
  ];
}

/** What a comparison of all ways may take, at most. */
interface Goals {
  http?: number;
  traffic?: number;
  /** A Node function is what people write by hand. */
  node?: number;
  https?: number;
  /** Against the way that workerd takes itself. */
  late?: number;
}

const SMALL: Goals = { http: 1.1, traffic: 1.2, node: 0.5, https: 1.25, late: 1.6 };
const LARGE_DOWN: Goals = { http: 1.15, https: 1.25, late: 2 };

function pair(subject: string, against: string, goal?: number): Pair {
  return { subject, against, ...(goal !== undefined && { goal }) };
}

function pairs(goals: Goals): Pair[] {
  return [
    pair(`${BARE}, again`, BARE),
    pair(HTTP, BARE, goals.http),
    pair(TRAFFIC, BARE, goals.traffic),
    pair(HTTP, NODE, goals.node),
    pair(HTTPS, HTTP, goals.https),
    pair(LATE, HTTP, goals.late),
    pair(LATE_HTTPS, HTTPS, goals.late),
    pair(HTTP, EXTERNAL),
    pair(HTTPS, EXTERNAL_TLS),
    pair(EXTERNAL_TLS, EXTERNAL),
    pair(WORKER, SERVICE_BINDING),
  ];
}

export async function* benchHttp(context: SuiteContext): AsyncGenerator<BenchReport> {
  for (const inFlight of [1, 16]) {
    const subjects = waysTo(context).map(requests(inFlight));
    yield report({
      title: `HTTP, small answers, ${inFlight} in flight`,
      operation: "a request",
      samples: await measure(withAgain(subjects), context.rounds(1)),
      pairs: pairs(SMALL),
    });
  }
  for (const inFlight of [1, 16]) yield await benchChunked(context, inFlight);
  for (const inFlight of [1, 16]) yield await benchPosts(context, inFlight);
  for (const direction of ["down", "up"] as const) {
    for (const inFlight of [1, 16]) {
      const bytes = (64 * 1024 * 1024) / inFlight;
      const subjects = waysTo(context).map(({ name, instance, ...way }): Subject => ({
        name,
        operations: inFlight,
        run: (operations) => instance.run("transfer", { ...way, operations, inFlight, direction, bytes }),
      }));
      const size = inFlight === 1 ? "64 MiB" : "16 × 4 MiB at once";
      yield report({
        title: `HTTP, ${size}, ${direction}`,
        operation: "a request",
        samples: await measure(withAgain(subjects), context.rounds(0.6)),
        pairs: pairs(direction === "down" && inFlight === 1 ? LARGE_DOWN : {}),
        megabytes: bytes / 1e6,
      });
    }
  }
}

function requests(inFlight: number, method?: "POST"): (way: Way) => Subject {
  return ({ name, instance, ...way }) => ({
    name,
    run: (operations) => instance.run("fetchMany", { ...way, operations, inFlight, ...(method && { method }) }),
  });
}

/** An answer that announces no length. */
async function benchChunked(context: SuiteContext, inFlight: number): Promise<BenchReport> {
  const chosen = new Set([BARE, HTTP, TRAFFIC, HTTPS]);
  const ways = waysTo(context).filter(({ name }) => chosen.has(name));
  const subjects = ways.map((way) => requests(inFlight)({ ...way, url: `${way.url}chunked` }));
  return report({
    title: `HTTP, small chunked answers, ${inFlight} in flight`,
    operation: "a request",
    samples: await measure(withAgain(subjects), context.rounds(0.6)),
    pairs: [
      { subject: `${BARE}, again`, against: BARE },
      { subject: HTTP, against: BARE, goal: 1.2 },
      { subject: TRAFFIC, against: BARE },
      { subject: HTTPS, against: HTTP },
    ],
  });
}

/** A request that may not be repeated always goes through the egress proxy. `GET` may be repeated. */
async function benchPosts(context: SuiteContext, inFlight: number): Promise<BenchReport> {
  const chosen = new Set([BARE, NODE, HTTP, HTTPS]);
  const ways = waysTo(context).filter(({ name }) => chosen.has(name));
  const subjects = ways.map(requests(inFlight, "POST"));
  const gets = ways.filter(({ name }) => name === HTTP);
  subjects.push(...gets.map((way) => requests(inFlight)({ ...way, name: GET })));
  return report({
    title: `HTTP, small POSTs, ${inFlight} in flight`,
    operation: "a request",
    samples: await measure(withAgain(subjects), context.rounds(0.6)),
    pairs: [
      { subject: `${BARE}, again`, against: BARE },
      { subject: HTTP, against: BARE },
      { subject: HTTP, against: NODE },
      { subject: HTTP, against: GET },
      { subject: HTTPS, against: HTTP },
    ],
  });
}

function withAgain(subjects: Subject[]): Subject[] {
  return [...subjects, ...subjects.slice(0, 1).map(again)];
}
