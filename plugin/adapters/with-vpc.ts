/**
 * `new Miniflare(withVpc(options, { config }))`: makes an instance load the plugin. Thin; changes nothing
 * else in the options. The other adapters make their triggers with this file.
 */

import { packageEntry, TRIGGER, type VpcOptions } from "../miniflare/loader.ts";
import { oldMiniflareIn } from "../miniflare/old-miniflare.ts";
import type { TriggerOptions } from "../miniflare/read-instance.ts";

/** The part of Miniflare's options that this reads. */
export interface InstanceOptions {
  workers: { config: { env?: Record<string, unknown> | undefined } }[];
}

/** @returns the same options with a trigger among the first Worker's bindings, which no Worker can see */
export function withVpc<Options extends InstanceOptions>(options: Options, vpc: VpcOptions = {}): Options {
  if (!Array.isArray(options.workers)) {
    throw new TypeError(
      "withVpc(): the options have no list of workers. withVpc() takes the options of Miniflare 5; convert older ones with its convertV4MiniflareOptions first.",
    );
  }
  // An old Miniflare refuses these options without saying why. Warn only, because the caller may use another copy.
  const old = oldMiniflareIn(process.cwd());
  if (old !== undefined) console.warn(old);
  const [first, ...rest] = options.workers;
  if (first === undefined) throw new TypeError("withVpc(): options.workers is empty; add at least one Worker.");
  const trigger = {
    type: "unsafe:miniflare-vpc",
    dev: {
      plugin: { package: packageEntry(), name: "VPC Service" },
      options: { ...vpc, isOwnMiniflare: true } satisfies TriggerOptions,
    },
  };
  const env = { ...first.config.env, [TRIGGER]: trigger };
  return { ...options, workers: [{ ...first, config: { ...first.config, env } }, ...rest] };
}
