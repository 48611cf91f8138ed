/** Measures the time from the rename of an edited vpc config to the first answer that follows it. */

import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Miniflare } from "miniflare";
import { withVpc } from "miniflare-vpc";
import { type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import { type Size, configFor, optionsFor } from "./sized-config.ts";
import type { SuiteContext } from "./suite.ts";

const SMALL = "with one route";
const LARGE = "with 1000 services and 10000 routes";
/** Milliseconds. Somebody waits for it, so it is no ratio. */
const GOAL = 100;
/** Milliseconds. */
const DEADLINE = 60_000;

const WORKER = `export default { fetch: (request, env) => env.NET.fetch("http://edited.internal/") }`;

export async function benchEdits(context: SuiteContext): Promise<BenchReport> {
  await using small = await startEdited({ services: 0, routes: 0 });
  await using large = await startEdited({ services: 1000, routes: 10_000 });
  const first = edits(SMALL, small);
  return report({
    title: "An edit of the vpc config, from the rename of the file to the first answer",
    operation: "an edit",
    samples: await measure([first, again(first), edits(LARGE, large)], context.rounds(0.5)),
    pairs: [
      { subject: `${SMALL}, again`, against: SMALL },
      { subject: LARGE, against: SMALL },
    ],
    plain: [{ subject: LARGE, goal: GOAL }],
  });
}

function edits(name: string, edited: Edited): Subject {
  return { name, operations: 1, run: () => edited.edit() };
}

interface Edited extends AsyncDisposable {
  /** @returns milliseconds until it was in force */
  edit(): Promise<number>;
}

/** Each edit moves one route to the other of two services. */
async function startEdited(size: Size): Promise<Edited> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), "miniflare-vpc-bench-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const ports = [stack.use(await startOrigin("0")).port, stack.use(await startOrigin("1")).port];
  const file = path.join(folder, "vpc.json");
  const write = async (target: number, to: string): Promise<void> => {
    const config = configFor(size, { "edited.internal:80": `127.0.0.1:${ports[target]}` });
    await writeFile(to, JSON.stringify({ ...config, traffic: false }));
  };
  await write(0, file);
  const miniflare = stack.use(disposable(new Miniflare(withVpc(optionsFor(size, WORKER), { config: file }))));
  const ask = async (): Promise<string> => (await miniflare.dispatchFetch("http://worker/")).text();
  let target = 0;
  if ((await ask()) !== "0") throw new Error("the first service did not answer");
  const running = stack.move();
  return {
    async edit() {
      target = 1 - target;
      await write(target, `${file}.new`);
      const started = performance.now();
      await rename(`${file}.new`, file);
      while ((await ask()) !== String(target)) {
        if (performance.now() - started > DEADLINE) throw new Error("the edit did not take effect");
      }
      return performance.now() - started;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function disposable(miniflare: Miniflare): Miniflare & AsyncDisposable {
  return Object.assign(miniflare, { [Symbol.asyncDispose]: () => miniflare.dispose() });
}

async function startOrigin(text: string): Promise<{ port: number } & AsyncDisposable> {
  const server = http.createServer((_, response) => response.end(text)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
