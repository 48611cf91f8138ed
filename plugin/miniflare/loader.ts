/** What makes a Miniflare load the plugin: the package's entry, and the options of the binding that names it. */

import { fileURLToPath } from "node:url";
import type { VpcConfig } from "../config.ts";
import type { JsonObject } from "../wrangler-config/read-wrangler.ts";
import { keepConfig } from "./kept-configs.ts";
import type { TriggerOptions } from "./read-instance.ts";

export interface VpcOptions {
  /** The vpc config: a path, or the config itself. Absent: the `vpc.*` file in each Worker's `rootPath`. */
  config?: string | VpcConfig;
  /** The environment of the wrangler config in use; `worker:NAME` then also finds `NAME-<env>`. */
  env?: string;
  /**
   * Serves a page on this machine that shows the traffic, and prints its address. `port`: from 0, which is any free one, to
   * 65535. Default: as the vpc config says, and never under CI or in a vitest test.
   */
  ui?: boolean | { port: number };
}

/** The entry of this package, for Miniflare to load. With a strict package manager, Miniflare would not find it by name. */
export function packageEntry(): string {
  return fileURLToPath(new URL("./index.js", import.meta.url));
}

/** The options of a binding that make Miniflare load the plugin. */
export interface Loader extends JsonObject {
  plugin: { package: string; name: string };
  options: JsonObject;
}

/**
 * The loader for hosts that pass a binding's options on as JSON, or write them to a file.
 *
 * @param more the place of the Worker's wrangler config, if the host doesn't pass it to Miniflare; the scenario's id
 */
export function loaderOf(
  { config, env, ui }: VpcOptions,
  more: Pick<TriggerOptions, "folder" | "runs" | "ownName" | "scenarioId"> = {},
): Loader {
  const source = typeof config === "object" ? { configId: keepConfig(config) } : config === undefined ? {} : { config };
  const options = {
    ...more,
    ...source,
    ...(env === undefined ? {} : { env }),
    ...(ui === undefined ? {} : { ui }),
  } satisfies TriggerOptions;
  return { plugin: { package: packageEntry(), name: "VPC Service" }, options };
}

/** The name of the binding that loads the plugin. No Worker can see it. */
export const TRIGGER = "MINIFLARE_VPC";
