/**
 * Vpc configs that were passed as objects, for the plugin to find again in the same process: the hosts carry
 * a trigger's options as JSON, which holds no functions.
 */

import type { VpcConfig } from "./config.ts";

/** On the process, for a bundler may give a config file a copy of this module of its own. */
const KEY = Symbol.for("miniflare-vpc.configs");

function kept(): Map<string, VpcConfig> {
  const holder = globalThis as { [KEY]?: Map<string, VpcConfig> };
  return (holder[KEY] ??= new Map());
}

/** @returns the id that `keptConfig` takes */
export function keepConfig(config: VpcConfig): string {
  const configs = kept();
  for (const [id, known] of configs) if (known === config) return id;
  const id = `config-${configs.size + 1}`;
  configs.set(id, config);
  return id;
}

/** @throws {Error} when another process kept it */
export function keptConfig(id: string): VpcConfig {
  const config = kept().get(id);
  if (config === undefined) {
    throw new Error(
      "miniflare-vpc: the vpc config was passed as an object in another process. Pass the path of a vpc.config.ts instead.",
    );
  }
  return config;
}
