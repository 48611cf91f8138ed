/**
 * Keeps vpc configs that were passed as objects, so that the plugin finds them in the same process. The hosts pass
 * a trigger's options as JSON, which can't hold functions.
 */

import type { VpcConfig } from "../config.ts";

/** Kept on the process, because a bundler may give a config file its own copy of this module. */
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

/** @throws {Error} if another process kept it */
export function keptConfig(id: string): VpcConfig {
  const config = kept().get(id);
  if (config === undefined) {
    throw new Error(
      "miniflare-vpc: the vpc config was passed as an object in another process. Pass the path of a vpc.config.ts instead.",
    );
  }
  return config;
}
