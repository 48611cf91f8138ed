/** Describes the machine that the figures depend on, in general words. */

import { createRequire } from "node:module";
import os from "node:os";

export interface Machine {
  /** ISO 8601. */
  date: string;
  cores: number;
  /** The processor's maker and architecture, the memory, the system. */
  kind: string;
  /** The load average of the last minute before the start. On an idle machine, it is far below the number of cores. */
  load: string;
  versions: string;
}

export function describeMachine(): Machine {
  const [maker] = /\b(?:AMD|Apple|ARM|Intel)\b/i.exec(os.cpus()[0]?.model ?? "") ?? [];
  const packages = ["miniflare-vpc", "miniflare", "workerd", "wrangler"].map((name) => `${name} ${versionOf(name)}`);
  const processor = maker === undefined ? os.arch() : `${os.arch()} of ${maker}`;
  return {
    date: new Date().toISOString(),
    cores: os.availableParallelism(),
    kind: `${processor}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()}`,
    load: readLoad(),
    versions: [`Node ${process.version}`, ...packages].join(", "),
  };
}

export function readLoad(): string {
  return (os.loadavg()[0] ?? 0).toFixed(2);
}

function versionOf(name: string): string {
  // workerd is a dependency of Miniflare, so resolve it from there.
  const require = createRequire(name === "workerd" ? import.meta.resolve("miniflare") : import.meta.url);
  const { version } = require(`${name}/package.json`) as { version: string };
  return version;
}
