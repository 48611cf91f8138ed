/**
 * `cloudflareTest(withVpc(options, { config }))`, for @cloudflare/vitest-plugin and
 * @cloudflare/vitest-pool-workers: makes their Miniflare load the plugin. Thin; imports neither of them.
 */

import path from "node:path";
import { refuseOldHost } from "../miniflare/old-miniflare.ts";
import { giveStandIns } from "./stand-in-strings.ts";
import { loaderOf, TRIGGER, type VpcOptions } from "../miniflare/loader.ts";

export type { VpcOptions } from "../miniflare/loader.ts";

const HOSTS = ["@cloudflare/vitest-plugin", "@cloudflare/vitest-pool-workers"];

/** The part of `cloudflareTest`'s options that this reads. The others stay unchanged. */
interface TestOptions {
  wrangler?: { configPath?: string; environment?: string };
  miniflare?: object & { name?: unknown; unsafeBindings?: readonly object[] };
}

/** `cloudflareTest` also accepts a function, and calls it with what `globalSetup` provides. */
type OptionsFactory = (context: unknown) => object | Promise<object>;

function isFactory(options: object): options is OptionsFactory {
  return typeof options === "function";
}

/**
 * Turns off other remote bindings, so that no token is needed; `remoteBindings: true` in the options keeps them.
 *
 * @param vpc without a `config`: the vpc config beside `wrangler.configPath`
 * @param options or a function that makes them, as `cloudflareTest` accepts it
 * @returns the same options with an additional binding that no Worker can see
 * @throws {Error} if the Miniflare of the installed package can't load the plugin
 */
export function withVpc<Options extends object>(options: NoInfer<Options>, vpc: VpcOptions = {}): Options {
  if (isFactory(options)) {
    const made: OptionsFactory = async (context) => withVpc<object>(await options(context), vpc);
    return made as object as Options;
  }
  const { wrangler = {}, miniflare = {} }: TestOptions = options;
  const { configPath, environment } = wrangler;
  const folder = configPath === undefined ? "" : path.dirname(configPath);
  refuseOldHost(HOSTS, [path.resolve(folder), process.cwd()]);
  const env = vpc.env ?? environment;
  giveStandIns(configPath, env);
  const { plugin, options: carried } = loaderOf(
    { ...vpc, ...(env === undefined ? {} : { env }) },
    {
      ...(typeof miniflare.name === "string" && { ownName: miniflare.name }),
      ...(configPath !== undefined && { folder, runs: configPath }),
    },
  );
  const trigger = { name: TRIGGER, type: "miniflare-vpc", plugin, options: { ...carried, isForTest: true } };
  return {
    remoteBindings: false,
    ...options,
    miniflare: { ...miniflare, unsafeBindings: [...(miniflare.unsafeBindings ?? []), trigger] },
  };
}
