/**
 * `cloudflare(withVpc(options, { config }))`, for @cloudflare/vite-plugin: makes the Miniflare of `vite dev` and
 * `vite preview` load the plugin. Thin; doesn't affect what `vite build` writes.
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import { refuseOldHost } from "../miniflare/old-miniflare.ts";
import { giveStandInStrings, ownStringOf } from "../wrangler-config/own-string.ts";
import type { JsonObject } from "../wrangler-config/read-wrangler.ts";
import { giveStandIns } from "./stand-in-strings.ts";
import { servePreview } from "./vite-preview.ts";
import { loaderOf, TRIGGER, type VpcOptions } from "../miniflare/loader.ts";

export type { VpcOptions } from "../miniflare/loader.ts";

/** The part of `cloudflare`'s options that this reads. The others stay unchanged. */
interface ViteOptions {
  configPath?: string;
  auxiliaryWorkers?: readonly { configPath?: string }[];
}

/** An empty Worker whose one binding makes Miniflare load the plugin. */
interface LoadingWorker {
  devOnly: true;
  config(own: unknown, context: { entryWorkerConfig: EntryWorker }): Record<string, unknown>;
}

interface EntryWorker {
  compatibility_date?: string | undefined;
  configPath?: string | undefined;
  hyperdrive?: readonly ({ binding: string } & JsonObject)[];
}

/**
 * Turns off other remote bindings, so that no token is needed; `remoteBindings: true` in the options keeps them.
 *
 * @param vpc without a `config`: the vpc config beside the entry Worker's wrangler config, for all Workers
 * @returns the same options with an additional Worker that exists only in development
 * @throws {Error} if the Miniflare of @cloudflare/vite-plugin can't load the plugin
 */
export function withVpc<Options extends object>(
  options: NoInfer<Options> = {} as Options,
  vpc: VpcOptions = {},
): Options {
  const { configPath, auxiliaryWorkers = [] }: ViteOptions = options;
  const loading: LoadingWorker = {
    devOnly: true,
    config: (_, { entryWorkerConfig }) => {
      for (const { binding, ...entry } of entryWorkerConfig.hyperdrive ?? []) {
        const ownString = ownStringOf(binding, entry);
        giveStandInStrings([{ bindingName: binding, bindingType: "hyperdrive", ...(ownString && { ownString }) }]);
      }
      return {
        name: "miniflare-vpc",
        main: fileURLToPath(new URL("../plugin/miniflare/local-worker.mjs", import.meta.url)),
        compatibility_date: entryWorkerConfig.compatibility_date,
        services: [
          {
            binding: TRIGGER,
            service: "miniflare-vpc",
            dev: loaderOf(vpc, { folder: path.dirname(entryWorkerConfig.configPath ?? "") }),
          },
        ],
      };
    },
  };
  for (const auxiliary of auxiliaryWorkers)
    if (auxiliary.configPath !== undefined) giveStandIns(auxiliary.configPath, undefined);
  const folder = path.dirname(path.resolve(configPath ?? "wrangler.json"));
  refuseOldHost(["@cloudflare/vite-plugin"], [folder, process.cwd()]);
  // `vite preview` reads the output of the build, which has the same bindings.
  giveStandIns(configPath, vpc.env);
  servePreview(loaderOf(vpc, { folder }).options);
  return { remoteBindings: false, ...options, auxiliaryWorkers: [...auxiliaryWorkers, loading] };
}
