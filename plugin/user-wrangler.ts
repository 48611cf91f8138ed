/**
 * The wrangler and the wrangler config of the user's project, for the adapters that call wrangler in this
 * process. wrangler is never imported by name: it is the project's, whichever package manager put it there.
 */

import { createRequire } from "node:module";
import path from "node:path";
import { threadId } from "node:worker_threads";
import { ConfigError, isDiagnostic } from "./diagnostics.ts";
import { parseDevArgs } from "./dev/dev-args.ts";
import { findConfigs } from "./dev/find-configs.ts";
import { readWranglerConfig, type WranglerConfig } from "./dev/read-wrangler.ts";
import { findWrangler } from "./dev/run-wrangler.ts";
import type { SiblingFiles } from "./dev/sibling-files.ts";

export type Wrangler = typeof import("wrangler");

/** @throws {Error} in words, when it is not installed or carries a Miniflare that can't load the plugin */
export function loadWrangler(folders: readonly string[]): Wrangler {
  const lookup = findWrangler(folders);
  if (lookup.type === "missing") throw new Error(`miniflare-vpc: ${lookup.reason}`);
  const wrangler: Wrangler = createRequire(lookup.bin)("wrangler");
  return wrangler;
}

export interface UserConfig {
  config: WranglerConfig;
  /** Another file than the config's when a build tool redirects wrangler to its output. */
  userFile: string;
}

/**
 * @param configPath absent: wrangler's own search from the working directory upwards
 * @param isRedirected whether that search ends in what a build tool made of the config, where there is such a thing
 * @returns undefined where there is none that can be read, which is wrangler's to say
 */
export function findUserConfig(
  configPath: string | undefined,
  { isRedirected }: { isRedirected: boolean } = { isRedirected: false },
): UserConfig | undefined {
  const sources = findConfigs(parseDevArgs(configPath === undefined ? [] : ["--config", configPath]), process.cwd());
  const [source] = isDiagnostic(sources) ? [] : sources;
  if (source === undefined) return undefined;
  const config = readWranglerConfig(isRedirected ? source.file : source.userFile);
  return isDiagnostic(config) ? undefined : { config, userFile: source.userFile };
}

let written = 0;

/** @throws {ConfigError} when the folder can't be written to */
export function writeBeside(files: SiblingFiles, configFile: string, content: string): string {
  // Threads share the process id that is in the name, too.
  const file = files.write(path.resolve(configFile), threadId * 10_000 + written++, content);
  if (typeof file !== "string") throw new ConfigError([file]);
  return file;
}

/** The environment wrangler takes. */
export function activeEnvironment(given: string | undefined): string | undefined {
  const environment = given ?? process.env["CLOUDFLARE_ENV"];
  return environment === "" ? undefined : environment;
}
