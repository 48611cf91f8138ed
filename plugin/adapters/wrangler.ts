/**
 * wrangler's own `getPlatformProxy`, `unstable_startWorker` and `createTestHarness`, with `vpc_services` and
 * `vpc_networks` served on this machine. Thin: each calls the project's wrangler and makes it load the plugin.
 */

import { randomUUID } from "node:crypto";
import path from "node:path";
import type {
  GetPlatformProxyOptions,
  PlatformProxy,
  TestHarness,
  TestHarnessOptions,
  unstable_startWorker as startWorker,
} from "wrangler";
import { SiblingFiles } from "../wrangler-config/sibling-files.ts";
import { replaceBindings, replaceInWorkers, writeLoading } from "./replace-bindings.ts";
import { loadWrangler, refuseOldWrangler } from "./user-wrangler.ts";
import type { VpcOptions } from "../miniflare/loader.ts";
import { rememberHolder } from "../scenario/running.ts";

export { ConfigError, type Diagnostic } from "../diagnostics.ts";
export type { VpcOptions } from "../miniflare/loader.ts";

export interface WithVpc {
  /** Without a `config`: the vpc config beside each wrangler config. */
  vpc?: VpcOptions;
}

/**
 * For frameworks that call `getPlatformProxy` themselves: `initOpenNextCloudflareForDev(withVpc())`. Turns off other
 * remote bindings, so that no token is needed; `remoteBindings: true` in the options keeps them.
 *
 * @returns the same options with the `configPath` of a generated config, which is removed when the process exits
 * @throws {Error} if the Miniflare of the project's wrangler can't load the plugin
 */
export function withVpc<Options extends GetPlatformProxyOptions>(
  options: Options = {} as Options,
  vpc: VpcOptions = {},
): Options {
  refuseOldWrangler(foldersOf(options));
  return { remoteBindings: false, ...options, ...writeLoading((keptFiles ??= new SiblingFiles()), options, vpc) };
}

/** Kept until the process exits, because a framework may read its config at any time. */
let keptFiles: SiblingFiles | undefined;

/**
 * Bindings for Node scripts. Turns off other remote bindings, as `withVpc` does.
 *
 * @throws {ConfigError} with every mistake in the vpc config
 */
export async function getPlatformProxy<
  Env = Record<string, unknown>,
  CfProperties extends Record<string, unknown> = PlatformProxy["cf"],
>({ vpc = {}, ...options }: GetPlatformProxyOptions & WithVpc = {}): Promise<PlatformProxy<Env, CfProperties>> {
  const wrangler = loadWrangler(foldersOf(options));
  // wrangler reads the config once, at the start.
  using files = new SiblingFiles();
  const scenarioId = randomUUID();
  const local = { remoteBindings: false, ...options, ...writeLoading(files, options, { ...vpc, scenarioId }) };
  return rememberHolder(await wrangler.getPlatformProxy<Env, CfProperties>(local), scenarioId);
}

/** The folders to search for wrangler. */
function foldersOf({ configPath = "wrangler.json" }: GetPlatformProxyOptions): string[] {
  return [path.dirname(path.resolve(configPath)), process.cwd()];
}

/** wrangler's own. */
export type StartOptions = Parameters<typeof startWorker>[0];

/**
 * `wrangler dev` from Node. wrangler serves the bindings that the vpc config calls "remote", and other remote bindings.
 *
 * @throws {ConfigError} with every mistake in the vpc config
 */
export async function unstable_startWorker({
  vpc = {},
  ...options
}: StartOptions & WithVpc): Promise<Awaited<ReturnType<typeof startWorker>>> {
  const scenarioId = randomUUID();
  const { wrangler, bindings } = await replaceBindings(options, { ...vpc, scenarioId });
  const local = { ...options, bindings: { ...options.bindings, ...bindings } };
  const worker = await wrangler.unstable_startWorker(local);
  // Without a VPC binding, nothing loads the plugin.
  return Object.keys(bindings).length === 0 ? worker : rememberHolder(worker, scenarioId);
}

/** wrangler's test server. Serves every VPC binding on this machine. Without options here, pass them to `update`. */
export function createTestHarness(given?: TestHarnessOptions & WithVpc): TestHarness {
  const { vpc = {}, ...options } = given ?? {};
  const scenarioId = randomUUID();
  const local = (each: TestHarnessOptions): TestHarnessOptions => replaceInWorkers(each, { ...vpc, scenarioId });
  const wrangler = loadWrangler([path.resolve(given?.root ?? "."), process.cwd()]);
  const harness = wrangler.createTestHarness("workers" in options ? local(options) : undefined);
  // wrangler accepts a function only if it already has options.
  const update: TestHarness["update"] = (next) =>
    harness.update(typeof next === "function" ? (current) => local(next(current)) : local(next));
  return rememberHolder({ ...harness, update }, scenarioId);
}
