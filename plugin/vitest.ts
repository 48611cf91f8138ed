/**
 * `cloudflareTest(withVpc(options, { config }))`, for @cloudflare/vitest-plugin and
 * @cloudflare/vitest-pool-workers: has their Miniflare load the plugin. Thin; imports neither of them.
 */

import path from "node:path";
import { loaderOf, TRIGGER, type VpcOptions } from "./with-vpc.ts";

/** The part of `cloudflareTest`'s options that this reads; what else they hold is kept as it is. */
interface TestOptions {
  wrangler?: { configPath?: string; environment?: string };
  miniflare?: object & { unsafeBindings?: readonly object[] };
}

/** `cloudflareTest` takes one, too: it is called with what `globalSetup` provides. */
type OptionsFactory = (context: unknown) => object | Promise<object>;

function isFactory(options: object): options is OptionsFactory {
  return typeof options === "function";
}

/**
 * Other remote bindings are off, so that nobody is asked for a token; `remoteBindings: true` in the options
 * keeps them, and asks.
 *
 * @param vpc without a `config`: the vpc config beside `wrangler.configPath`
 * @param options or a function that makes them, as `cloudflareTest` takes it
 * @returns the same options, with a binding added that no Worker can see
 */
export function withVpc<Options extends object>(options: NoInfer<Options>, vpc: VpcOptions = {}): Options {
  if (isFactory(options)) {
    const made: OptionsFactory = async (context) => withVpc<object>(await options(context), vpc);
    return made as object as Options;
  }
  const { wrangler = {}, miniflare = {} }: TestOptions = options;
  const { configPath, environment } = wrangler;
  const env = vpc.env ?? environment;
  const { plugin, options: carried } = loaderOf(
    { ...vpc, ...(env === undefined ? {} : { env }) },
    configPath === undefined ? {} : { folder: path.dirname(configPath) },
  );
  const trigger = { name: TRIGGER, type: "miniflare-vpc", plugin, options: carried };
  return {
    remoteBindings: false,
    ...options,
    miniflare: { ...miniflare, unsafeBindings: [...(miniflare.unsafeBindings ?? []), trigger] },
  };
}
