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
import { writeWithService } from "./dev/sibling.ts";
import { SiblingFiles } from "./dev/sibling-files.ts";
import { replaceBindings, replaceInWorkers } from "./replace-bindings.ts";
import { activeEnvironment, findUserConfig, loadWrangler, writeBeside } from "./user-wrangler.ts";
import { loaderOf, TRIGGER, type VpcOptions } from "./with-vpc.ts";

export interface WithVpc {
  /** Without a `config`: the vpc config beside each wrangler config. */
  vpc?: VpcOptions;
}

/**
 * Bindings for Node scripts and framework dev servers. Other remote bindings are off, so that nobody is asked for
 * a token; `remoteBindings: true` keeps them, and asks.
 */
export async function getPlatformProxy<
  Env = Record<string, unknown>,
  CfProperties extends Record<string, unknown> = PlatformProxy["cf"],
>({ vpc = {}, ...options }: GetPlatformProxyOptions & WithVpc = {}): Promise<PlatformProxy<Env, CfProperties>> {
  const found = findUserConfig(options.configPath);
  const folder = path.dirname(found?.userFile ?? path.resolve("wrangler.json"));
  const { getPlatformProxy: start } = loadWrangler([folder, process.cwd()]);
  if (found === undefined) return await start<Env, CfProperties>(options);

  const env = activeEnvironment(options.environment);
  const dev = loaderOf({ ...(env === undefined ? {} : { env }), ...vpc }, { folder });
  // It is read once, at the start.
  using files = new SiblingFiles();
  const content = writeWithService(found.config, env, { binding: TRIGGER, service: "miniflare-vpc", dev });
  const configPath = writeBeside(files, found.config.file, content);
  return await start<Env, CfProperties>({ remoteBindings: false, ...options, configPath });
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

/** wrangler's test server. Every VPC binding is served on this machine. */
export function createTestHarness({ vpc = {}, ...options }: TestHarnessOptions & WithVpc): TestHarness {
  const harness = loadWrangler([path.resolve(options.root ?? "."), process.cwd()]).createTestHarness(
    replaceInWorkers(options, vpc),
  );
  return {
    ...harness,
    update: (next) =>
      harness.update((current) => replaceInWorkers(typeof next === "function" ? next(current) : next, vpc)),
  };
}
