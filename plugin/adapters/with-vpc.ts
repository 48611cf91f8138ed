/**
 * `new Miniflare(withVpc(options, { config }))`: makes an instance load the plugin. Thin; changes nothing
 * else in the options. The other adapters make their triggers with this file.
 */

import { packageEntry, TRIGGER, type VpcOptions } from "../miniflare/loader.ts";
import { isPlainObject } from "../read/quote.ts";
import { STAND_IN_STRING } from "../wrangler-config/own-string.ts";
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
  const withEnv = (worker: Options["workers"][number], more: Record<string, unknown>): typeof worker => {
    const env = { ...worker.config.env, ...withStrings(worker.config.env), ...more };
    return { ...worker, config: { ...worker.config, env } };
  };
  const workers = [withEnv(first, { [TRIGGER]: trigger }), ...rest.map((worker) => withEnv(worker, {}))];
  return { ...options, workers };
}

/** Miniflare requires a connection string of a Hyperdrive binding before any plugin runs. @returns those that lack one, with it */
function withStrings(env: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, binding]) =>
      needsString(binding) ? [[name, { ...binding, dev: { connectionString: STAND_IN_STRING } }]] : [],
    ),
  );
}

/** The types of Miniflare want a `dev`, which may be empty. */
function needsString(binding: unknown): binding is Record<string, unknown> {
  if (!isPlainObject(binding) || binding["type"] !== "hyperdrive") return false;
  const { dev = {} } = binding;
  return isPlainObject(dev) && dev["connectionString"] === undefined && dev["remote"] !== true;
}
