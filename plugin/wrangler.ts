/**
 * wrangler's own `getPlatformProxy`, `unstable_startWorker` and `createTestHarness`, with `vpc_services` and
 * `vpc_networks` served on this machine. Thin: each calls the project's wrangler, told to load the plugin.
 */

import path from "node:path";
import type {
  GetPlatformProxyOptions,
  PlatformProxy,
  TestHarness,
  TestHarnessOptions,
  unstable_startWorker as startWorker,
} from "wrangler";
import { SiblingFiles } from "./dev/sibling-files.ts";
import { replaceBindings, replaceInWorkers, writeLoading } from "./replace-bindings.ts";
import { loadWrangler } from "./user-wrangler.ts";
import type { VpcOptions } from "./with-vpc.ts";

export interface WithVpc {
  /** Without a `config`: the vpc config beside each wrangler config. */
  vpc?: VpcOptions;
}

/**
 * For frameworks that call `getPlatformProxy` themselves: `initOpenNextCloudflareForDev(withVpc())`. Other remote
 * bindings are off, so that nobody is asked for a token; `remoteBindings: true` in the options keeps them, and asks.
 *
 * @returns the same options, with a generated `configPath` that is removed when the process exits
 */
export function withVpc<Options extends GetPlatformProxyOptions>(
  options: Options = {} as Options,
  vpc: VpcOptions = {},
): Options {
  return { remoteBindings: false, ...options, ...writeLoading(new SiblingFiles(), options, vpc) };
}

/** Bindings for Node scripts. Other remote bindings are off, as with `withVpc`. */
export async function getPlatformProxy<
  Env = Record<string, unknown>,
  CfProperties extends Record<string, unknown> = PlatformProxy["cf"],
>({ vpc = {}, ...options }: GetPlatformProxyOptions & WithVpc = {}): Promise<PlatformProxy<Env, CfProperties>> {
  const wrangler = loadWrangler([path.dirname(path.resolve(options.configPath ?? "wrangler.json")), process.cwd()]);
  // It is read once, at the start.
  using files = new SiblingFiles();
  const local = { remoteBindings: false, ...options, ...writeLoading(files, options, vpc) };
  return await wrangler.getPlatformProxy<Env, CfProperties>(local);
}

type StartOptions = Parameters<typeof startWorker>[0];

/** `wrangler dev` from Node. What the vpc config calls "remote" stays wrangler's, as do other remote bindings. */
export async function unstable_startWorker({
  vpc = {},
  ...options
}: StartOptions & WithVpc): Promise<Awaited<ReturnType<typeof startWorker>>> {
  const { wrangler, bindings } = await replaceBindings(options, vpc);
  return await wrangler.unstable_startWorker({ ...options, bindings: { ...options.bindings, ...bindings } });
}

/** wrangler's test server. Every VPC binding is served on this machine. Without options, `update` gives them. */
export function createTestHarness(given?: TestHarnessOptions & WithVpc): TestHarness {
  const { vpc = {}, ...options } = given ?? {};
  const local = (each: TestHarnessOptions): TestHarnessOptions => replaceInWorkers(each, vpc);
  const wrangler = loadWrangler([path.resolve(given?.root ?? "."), process.cwd()]);
  const harness = wrangler.createTestHarness("workers" in options ? local(options) : undefined);
  return {
    ...harness,
    // wrangler takes a function only where there are options already.
    update: (next) => harness.update(typeof next === "function" ? (current) => local(next(current)) : local(next)),
  };
}
