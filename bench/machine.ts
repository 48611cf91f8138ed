/** Describes the machine that the figures depend on. */

import { createRequire } from "node:module";
import os from "node:os";

export interface Machine {
  date: string;
  machine: string;
  /** The load average of the last minute before the start. On an idle machine, it is far below the number of cores. */
  load: string;
  versions: string;
}

export function describeMachine(): Machine {
  const [cpu] = os.cpus();
  const packages = ["miniflare-vpc", "miniflare", "workerd", "wrangler"].map((name) => `${name} ${versionOf(name)}`);
  return {
    date: new Date().toISOString(),
    machine: `${os.availableParallelism()} × ${cpu?.model ?? "an unknown processor"}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release()}`,
    load: (os.loadavg()[0] ?? 0).toFixed(2),
    versions: [`Node ${process.version}`, ...packages].join(", "),
  };
}

function versionOf(name: string): string {
  // workerd is a dependency of Miniflare, so resolve it from there.
  const require = createRequire(name === "workerd" ? import.meta.resolve("miniflare") : import.meta.url);
  const { version } = require(`${name}/package.json`) as { version: string };
  return version;
}
