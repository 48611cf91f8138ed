/** Flags that several commands share, so that they have the same name, summary and messages everywhere. */

import { existsSync, statSync } from "node:fs";
import path from "node:path";

import { CONFIG_NAMES } from "../read/read-vpc.ts";
import { UsageError } from "./usage-error.ts";

export const CONFIG_FLAG = {
  type: "string",
  short: "c",
  value: "FILE",
  isRepeated: true,
  completes: "file",
  summary: "the wrangler config, instead of the one that wrangler finds; repeat it for several Workers",
} as const;

/** @param configs values of `--config`. @throws {UsageError} if there is no file at one of them */
export function requireConfigs(configs: readonly string[], cwd: string): void {
  for (const config of configs) {
    const file = path.resolve(cwd, config);
    if (!existsSync(file)) {
      throw new UsageError(`there is no file ${JSON.stringify(config)} in ${cwd}. Correct the path after "--config".`);
    }
    if (statSync(file).isDirectory()) {
      throw new UsageError(
        `${JSON.stringify(config)} is a folder. Write the path of a wrangler config after "--config".`,
      );
    }
    if (CONFIG_NAMES.includes(path.basename(file))) {
      throw new UsageError(
        `${JSON.stringify(config)} is a vpc config. Write the path of the wrangler config after "--config"; the vpc config next to that is read with it.`,
      );
    }
  }
}

export const ENV_FLAG = {
  type: "string",
  short: "e",
  value: "NAME",
  mayBeEmpty: true,
  completes: "environment",
  summary: 'the environment of the wrangler config; "" is the top level',
} as const;

export const JSON_FLAG = { type: "boolean", summary: "print JSON, for programs" } as const;

export const WORKER_FLAG = {
  type: "string",
  short: "w",
  value: "NAME",
  completes: "worker",
  summary: "the Worker, if several have a binding of that name",
} as const;
