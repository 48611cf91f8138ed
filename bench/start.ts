/** What the commands cost: `dev` against the user's own `wrangler dev`, and the CPU time of `check`. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { MINIFLARE_VPC, WRANGLER, serve } from "../test/wrangler/run.ts";
import { type TemporaryProject, createProject, quietEnvironment } from "../test/wrangler/temporary-project.ts";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";

const WRANGLER_DEV = "wrangler dev --local";
const OUR_DEV = "miniflare-vpc dev";
/** `miniflare-vpc dev` lets Node keep wrangler's compiled code. The first start after an installation has none. */
const UNCOMPILED = "miniflare-vpc dev, no compiled code kept";
const NODE = "Node, an empty script";
const CHECK = "miniflare-vpc check";
/** Milliseconds of CPU. People type the command and wait, so it is no ratio. */
const CHECK_GOAL = 300;

export async function* benchStart(context: SuiteContext): AsyncGenerator<BenchReport> {
  using project = createProject({
    "wrangler.jsonc": {
      name: "bench",
      main: "index.js",
      compatibility_date: "2026-11-01",
      vpc_services: [{ binding: "API", service_id: "e6a0817c-79c5-40ca-9776-a1c019defe70" }],
    },
    "index.js": "export default { fetch: () => new Response() };",
    "empty.js": "",
    "vpc.jsonc": { services: { API: "http://127.0.0.1:1" } },
  });
  const rounds = (atLeast: number): Parameters<typeof measure>[1] => ({
    seconds: 0,
    atLeast: context.isQuick ? 1 : atLeast,
    sample: 0,
  });
  const wrangler = dev(WRANGLER_DEV, { script: WRANGLER, args: ["dev", "--local"], project });
  const own = { script: MINIFLARE_VPC, args: ["dev"], project };
  const ours = dev(OUR_DEV, own);
  const uncompiled = dev(UNCOMPILED, { ...own, env: { NODE_DISABLE_COMPILE_CACHE: "1" } });
  // Both have run before in the user's folder.
  for (const each of [wrangler, ours]) await each.run(1);
  yield report({
    title: 'Start-up of a dev server, from the command to "Ready"',
    operation: "a start",
    samples: await measure([wrangler, again(wrangler), ours, uncompiled], rounds(9)),
    pairs: [
      { subject: `${WRANGLER_DEV}, again`, against: WRANGLER_DEV },
      { subject: OUR_DEV, against: WRANGLER_DEV, goal: 1.05 },
      { subject: UNCOMPILED, against: WRANGLER_DEV },
    ],
  });

  const node = command(NODE, project, ["empty.js"]);
  const check = command(CHECK, project, [MINIFLARE_VPC, "check"]);
  yield report({
    title: "CPU time of a command",
    operation: "a run",
    samples: await measure([node, again(node), check], rounds(25)),
    pairs: [
      { subject: `${NODE}, again`, against: NODE },
      { subject: CHECK, against: NODE },
    ],
    plain: [{ subject: CHECK, goal: CHECK_GOAL }],
  });
}

interface DevServer {
  script: string;
  args: string[];
  project: TemporaryProject;
  env?: NodeJS.ProcessEnv;
}

function dev(name: string, { script, args, ...options }: DevServer): Subject {
  return {
    name,
    operations: 1,
    run: async () => {
      const started = performance.now();
      await using server = await serve(script, args, options);
      const taken = performance.now() - started;
      if (!server.url.startsWith("http:")) throw new Error(`${name} said no URL`);
      return taken;
    },
  };
}

/** Writes the microseconds of CPU, of all threads since the process started, to the error output. */
const PRINT_CPU = `data:text/javascript,${encodeURIComponent(`import { writeSync } from "node:fs";
process.once("exit", () => { const { user, system } = process.cpuUsage(); writeSync(2, "cpu " + (user + system) + "\\n"); });`)}`;

function command(name: string, project: TemporaryProject, args: readonly string[]): Subject {
  return {
    name,
    operations: 1,
    run: async () => {
      const { stderr } = await promisify(execFile)(process.execPath, ["--import", PRINT_CPU, ...args], {
        cwd: project.folder,
        env: quietEnvironment(project.folder),
      });
      const [, microseconds] = /^cpu (\d+)$/m.exec(stderr) ?? [];
      if (microseconds === undefined) throw new Error(`${name} told no CPU time:\n${stderr}`);
      return Number(microseconds) / 1000;
    },
  };
}
