/** The Worker under load, in a Miniflare instance of this process. */

import { readFile } from "node:fs/promises";
import path from "node:path";

import { Log, LogLevel, Miniflare, type MiniflareOptions } from "miniflare";
import { withVpc } from "miniflare-vpc";

import type { VpcConfig } from "../../plugin/config.ts";
import { runtimesOf } from "./processes.ts";

export const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

export interface Load extends AsyncDisposable {
  /** Runs an operation of `worker.js`. */
  call<Result>(op: string, argument: object): Promise<Result>;
  /** The number of lines so far, and the last ones. */
  lines: { count: number; last: string[] };
  /** The process id of its runtime. */
  runtime: number;
  miniflare: Miniflare;
}

class CountingLog extends Log {
  readonly #lines: Load["lines"];

  constructor(lines: Load["lines"]) {
    super(LogLevel.INFO);
    this.#lines = lines;
  }

  protected override log(message: string): void {
    keep(this.#lines, message);
  }
}

function keep(lines: Load["lines"], message: string): void {
  lines.count++;
  lines.last.push(message);
  if (lines.last.length > 50) lines.last.shift();
}

export async function startLoad(config: VpcConfig | string): Promise<Load> {
  const lines = { count: 0, last: [] };
  const contents = await readFile(path.join(import.meta.dirname, "worker.js"), "utf8");
  const before = new Set(runtimesOf(process.pid));
  const options = {
    log: new CountingLog(lines),
    handleStructuredLogs: ({ message }: { message: string }) => keep(lines, message),
    workers: [
      {
        config: {
          name: "load",
          compatibilityDate: "2026-11-01",
          manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm", contents } } },
          env: { NET: { type: "vpc-network", tunnelId: TUNNEL } },
        },
      },
    ],
  } as MiniflareOptions;
  const miniflare = new Miniflare(withVpc(options, { config }));
  await miniflare.ready;
  const runtime = runtimesOf(process.pid).find((pid) => !before.has(pid)) ?? 0;
  return {
    lines,
    runtime,
    miniflare,
    async call<Result>(op: string, argument: object) {
      const response = await miniflare.dispatchFetch("http://load/", {
        method: "POST",
        body: JSON.stringify({ op, argument }),
      });
      return (await response.json()) as Result;
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  };
}
