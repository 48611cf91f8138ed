/** For hosts that let wrangler read the user's own config: wrangler refuses a Hyperdrive binding without a connection string. */

import { ConfigError, formatDiagnostics } from "../diagnostics.ts";
import { pickEnvironment } from "../wrangler-config/find-environment.ts";
import { giveStandInStrings } from "../wrangler-config/own-string.ts";
import { readVpcEntries } from "../wrangler-config/read-wrangler.ts";
import { type UserConfig, findUserConfig } from "./user-wrangler.ts";

/** @param configPath absent: the config that wrangler would find @param environment absent: CLOUDFLARE_ENV counts */
export function giveStandIns(configPath: string | undefined, environment: string | undefined): void {
  const found = findOrWarn(configPath);
  if (found === undefined) return;
  giveStandInStrings(readVpcEntries(found.config, pickEnvironment(environment, process.env)).bindings);
}

/** The host reads the config by itself, and may well be able to. */
function findOrWarn(configPath: string | undefined): UserConfig | undefined {
  try {
    return findUserConfig(configPath);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.warn(formatDiagnostics(error.diagnostics));
    return undefined;
  }
}
