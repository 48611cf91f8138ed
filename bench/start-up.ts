/** Measures the time until a Worker answers, with and without this package. Each start is a separate process. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { type TemporaryProject, createProject } from "../test/wrangler/temporary-project.ts";
import { MINIFLARE_VPC, WRANGLER, serve } from "../test/wrangler/run.ts";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";
import type { Size } from "./start-once.ts";

const PLAIN = "Miniflare";
const PLUGIN = "with the plugin";
const LARGE = "with 1000 services and 10000 routes";

export async function* benchStartUp(context: SuiteContext): AsyncGenerator<BenchReport> {
  const plain = start(PLAIN);
  const subjects = [
    plain,
    again(plain),
    start(PLUGIN, { services: 1, routes: 1 }),
    start(LARGE, { services: 1000, routes: 10_000 }),
  ];
  yield report({
    title: "Start-up, from new Miniflare() to the first answer",
    operation: "a start",
    samples: await measure(subjects, context.rounds(1)),
    pairs: [
      { subject: `${PLAIN}, again`, against: PLAIN },
      { subject: PLUGIN, against: PLAIN, goal: 1.35 },
      { subject: LARGE, against: PLUGIN, goal: 6 },
    ],
  });
}

function start(name: string, size?: Size): Subject {
  return {
    name,
    operations: 1,
    run: async () => {
      await using started = await startOnce(size);
      return started.milliseconds;
    },
  };
}

export interface Started extends AsyncDisposable {
  milliseconds: number;
  pid: number;
}

/** @param size absent: without the plugin */
export async function startOnce(size?: Size): Promise<Started> {
  const child = fork(`${import.meta.dirname}/start-once.ts`, size === undefined ? [] : [JSON.stringify(size)]);
  const exit = once(child, "exit");
  const [milliseconds] = (await Promise.race([
    once(child, "message"),
    exit.then(() => Promise.reject(new Error("the start failed"))),
  ])) as [number];
  return {
    milliseconds,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exit;
    },
  };
}

const WRANGLER_DEV = "wrangler dev --local";
const OUR_DEV = "miniflare-vpc dev";

export async function* benchDev(context: SuiteContext): AsyncGenerator<BenchReport> {
  using project = createProject({
    "wrangler.jsonc": {
      name: "bench",
      main: "index.js",
      compatibility_date: "2026-11-01",
      vpc_services: [{ binding: "API", service_id: "e6a0817c-79c5-40ca-9776-a1c019defe70" }],
    },
    "index.js": "export default { fetch: () => new Response() };",
    "vpc.jsonc": { services: { API: "http://127.0.0.1:1" } },
  });
  const wrangler = dev(WRANGLER_DEV, { script: WRANGLER, args: ["dev", "--local"], project });
  const subjects = [wrangler, again(wrangler), dev(OUR_DEV, { script: MINIFLARE_VPC, args: ["dev"], project })];
  yield report({
    title: "Start-up of a dev server, from the command to the first answer",
    operation: "a start",
    samples: await measure(subjects, { seconds: 0, atLeast: context.isQuick ? 1 : 9, sample: 0 }),
    pairs: [
      { subject: `${WRANGLER_DEV}, again`, against: WRANGLER_DEV },
      { subject: OUR_DEV, against: WRANGLER_DEV },
    ],
  });
}

function dev(
  name: string,
  { script, args, project }: { script: string; args: string[]; project: TemporaryProject },
): Subject {
  return {
    name,
    operations: 1,
    run: async () => {
      const started = performance.now();
      await using server = await serve(script, args, { project });
      await server.get("/");
      return performance.now() - started;
    },
  };
}
