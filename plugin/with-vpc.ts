/**
 * `new Miniflare(withVpc(options, { config }))`: has an instance load the plugin. Thin; changes nothing
 * else of the options. The other adapters share what a trigger is made of.
 */

import { fileURLToPath } from "node:url";
import type { VpcConfig } from "./config.ts";
import type { JsonObject } from "./dev/read-wrangler.ts";
import { keepConfig } from "./kept-configs.ts";
import { oldMiniflareIn } from "./old-miniflare.ts";
import type { TriggerOptions } from "./read-instance.ts";

export interface VpcOptions {
  /** The vpc config: a path, or the config itself. Absent: the `vpc.*` file in each Worker's `rootPath`. */
  config?: string | VpcConfig;
  /** The environment of the wrangler config in use; `worker:NAME` then also finds `NAME-<env>`. */
  env?: string;
}

/** The part of Miniflare's options that this reads. */
export interface InstanceOptions {
  workers: { config: { env?: Record<string, unknown> } }[];
}

/** The entry of this package, for Miniflare to load: a name would not be found under a strict package manager. */
export function packageEntry(): string {
  return fileURLToPath(new URL("./index.js", import.meta.url));
}

/** What a binding needs for Miniflare to load the plugin. */
export interface Loader extends JsonObject {
  plugin: { package: string; name: string };
  options: JsonObject;
}

/**
 * The loader for hosts that pass a binding's options on as JSON, or write them to a file.
 *
 * @param place of the Worker's wrangler config, where the host tells Miniflare none
 */
export function loaderOf({ config, env }: VpcOptions, place: Pick<TriggerOptions, "folder"> = {}): Loader {
  const source = typeof config === "object" ? { configId: keepConfig(config) } : config === undefined ? {} : { config };
  const options = { ...place, ...source, ...(env === undefined ? {} : { env }) } satisfies TriggerOptions;
  return { plugin: { package: packageEntry(), name: "VPC Service" }, options };
}

/** The name of the binding that loads the plugin; no Worker can see it. */
export const TRIGGER = "MINIFLARE_VPC";

/** @returns the same options, the first Worker's bindings with a trigger added that no Worker can see */
export function withVpc<Options extends InstanceOptions>(options: Options, vpc: VpcOptions = {}): Options {
  if (!Array.isArray(options.workers)) {
    throw new TypeError(
      "withVpc(): the options have no list of workers. It takes those of Miniflare 5; older ones go through its convertV4MiniflareOptions first.",
    );
  }
  // Such a one refuses these options in words that don't lead here; but the caller may have another.
  const old = oldMiniflareIn(process.cwd());
  if (old !== undefined) console.warn(old);
  const [first, ...rest] = options.workers;
  if (first === undefined) throw new TypeError("withVpc(): options.workers is empty; give it at least one Worker.");
  const trigger = {
    type: "unsafe:miniflare-vpc",
    dev: { plugin: { package: packageEntry(), name: "VPC Service" }, options: { ...vpc } satisfies TriggerOptions },
  };
  const env = { ...first.config.env, [TRIGGER]: trigger };
  return { ...options, workers: [{ ...first, config: { ...first.config, env } }, ...rest] };
}
