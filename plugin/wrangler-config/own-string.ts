/**
 * Connection strings of Hyperdrive bindings: those that the user gave to wrangler, which win over the vpc config, and the one
 * that we give to hosts that demand one before any plugin runs. It has no login: the plugin replaces all of it.
 */

import { readVariables } from "./find-environment.ts";

/** wrangler's variables. Each ends with the binding's name, and the first one that is set counts. */
export const VARIABLES = [
  "CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_",
  "WRANGLER_HYPERDRIVE_LOCAL_CONNECTION_STRING_",
] as const;

/** Nothing ever connects there. Miniflare requires a scheme, a user, a password and a database. */
export const STAND_IN_STRING = "postgresql://miniflare-vpc:miniflare-vpc@127.0.0.1:1/miniflare-vpc";

/** @param env the environment. @returns where a binding's own connection string is, in words; undefined if it has none */
export function ownStringOf(
  bindingName: string,
  entry: Readonly<Record<string, unknown>>,
  env?: string,
): string | undefined {
  // wrangler reads the .env files, too.
  const valueOf = readVariables(process.cwd(), env);
  for (const variable of VARIABLES.map((prefix) => `${prefix}${bindingName}`)) {
    const value = valueOf(variable);
    if (value === STAND_IN_STRING) return undefined;
    if (value) return `in the variable ${variable}`;
  }
  const written = entry["localConnectionString"];
  return written === undefined || written === STAND_IN_STRING ? undefined : 'in "localConnectionString"';
}

/** For hosts that read the user's own config in this process: wrangler refuses a Hyperdrive binding without a connection string. */
export function giveStandInStrings(
  bindings: readonly { bindingName: string; bindingType: string; ownString?: string }[],
): void {
  for (const { bindingName, bindingType, ownString } of bindings) {
    if (bindingType === "hyperdrive" && ownString === undefined) {
      process.env[`${VARIABLES[0]}${bindingName}`] = STAND_IN_STRING;
    }
  }
}
