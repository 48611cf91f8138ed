/**
 * `cloudflare(withVpc(options, { config }))`, for @cloudflare/vite-plugin: has the Miniflare of `vite dev` and
 * `vite preview` load the plugin. Thin; nothing of it reaches what `vite build` writes.
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import { servePreview } from "./vite-preview.ts";
import { loaderOf, TRIGGER, type VpcOptions } from "./with-vpc.ts";

/** The part of `cloudflare`'s options that this reads; what else they hold is kept as it is. */
interface ViteOptions {
  configPath?: string;
  auxiliaryWorkers?: readonly object[];
}

/** An empty Worker whose one binding makes Miniflare load the plugin. */
interface LoadingWorker {
  devOnly: true;
  config(own: unknown, session: { entryWorkerConfig: EntryWorker }): Record<string, unknown>;
}

interface EntryWorker {
  compatibility_date?: string | undefined;
  configPath?: string | undefined;
}

/**
 * Other remote bindings are off, so that nobody is asked for a token; `remoteBindings: true` in the options
 * keeps them, and asks.
 *
 * @param vpc without a `config`: the vpc config beside the entry Worker's wrangler config, for all Workers
 * @returns the same options, with a Worker added that exists in development only
 */
export function withVpc<Options extends object>(
  options: NoInfer<Options> = {} as Options,
  vpc: VpcOptions = {},
): Options {
  const { configPath, auxiliaryWorkers = [] }: ViteOptions = options;
  const loading: LoadingWorker = {
    devOnly: true,
    config: (_, { entryWorkerConfig }) => ({
      name: "miniflare-vpc",
      main: fileURLToPath(new URL("../plugin/local-worker.mjs", import.meta.url)),
      compatibility_date: entryWorkerConfig.compatibility_date,
      services: [
        {
          binding: TRIGGER,
          service: "miniflare-vpc",
          dev: loaderOf(vpc, { folder: path.dirname(entryWorkerConfig.configPath ?? "") }),
        },
      ],
    }),
  };
  servePreview(loaderOf(vpc, { folder: path.dirname(path.resolve(configPath ?? "wrangler.json")) }).options);
  return { remoteBindings: false, ...options, auxiliaryWorkers: [...auxiliaryWorkers, loading] };
}
