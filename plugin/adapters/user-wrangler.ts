/**
 * Finds the wrangler and the wrangler config of the user's project, for the adapters that call wrangler in this
 * process. Never imports wrangler by name: it belongs to the project, wherever a package manager put it.
 */

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { threadId } from "node:worker_threads";
import { ConfigError, isDiagnostic } from "../diagnostics.ts";
import { parseDevArgs } from "../wrangler-config/dev-args.ts";
import { findConfigs } from "../wrangler-config/find-configs.ts";
import { NEW_CONFIG } from "../wrangler-config/read-new-config.ts";
import { readWranglerConfig, type WranglerConfig } from "../wrangler-config/read-wrangler.ts";
import { findWrangler } from "../wrangler-config/find-wrangler.ts";
import type { SiblingFiles } from "../wrangler-config/sibling-files.ts";

export type Wrangler = typeof import("wrangler");

/** @throws {Error} if it isn't installed, or its Miniflare can't load the plugin */
export function loadWrangler(folders: readonly string[]): Wrangler {
  const lookup = findWrangler(folders);
  if (lookup.type !== "found") throw new Error(`miniflare-vpc: ${lookup.reason}`);
  const wrangler: Wrangler = createRequire(lookup.bin)("wrangler");
  return wrangler;
}

/** For hosts that call wrangler themselves. @throws {Error} if the project's wrangler can't load the plugin */
export function refuseOldWrangler(folders: readonly string[]): void {
  const lookup = findWrangler(folders);
  if (lookup.type === "old") throw new Error(`miniflare-vpc: ${lookup.reason}`);
}

export interface UserConfig {
  config: WranglerConfig;
  /** The config that the user wrote. It differs from the config's file if a build tool redirects wrangler. */
  userFile: string;
}

/**
 * @param configPath absent: wrangler's own search from the working directory upwards
 * @param env the environment in use
 * @param isRedirected whether to follow a build tool's redirect to its output
 * @returns undefined if no config can be read; wrangler reports why
 * @throws {ConfigError} if a `cloudflare.config.ts` can't be read, because wrangler then goes on without it
 */
export function findUserConfig(
  configPath: string | undefined,
  { isRedirected = false, env }: { isRedirected?: boolean; env?: string | undefined } = {},
): UserConfig | undefined {
  const sources = findConfigs(parseDevArgs(configPath === undefined ? [] : ["--config", configPath]), process.cwd());
  const [source] = isDiagnostic(sources) ? [] : sources;
  if (source === undefined) return undefined;
  const config = readWranglerConfig(isRedirected ? source.file : source.userFile, env);
  if (!isDiagnostic(config)) return { config, userFile: source.userFile };
  if (path.basename(source.userFile) === NEW_CONFIG) throw new ConfigError([config]);
  return undefined;
}

/**
 * The same content always gets the same file.
 *
 * @throws {ConfigError} if the folder isn't writable
 */
export function writeBeside(files: SiblingFiles, configFile: string, content: string): string {
  // The name has only the process id, which threads share.
  const digest = createHash("sha256").update(`${threadId} ${content}`).digest();
  const file = files.write(path.resolve(configFile), digest.readUIntBE(0, 6), content);
  if (typeof file !== "string") throw new ConfigError([file]);
  return file;
}
