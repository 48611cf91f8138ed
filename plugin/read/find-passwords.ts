/** Looks up the passwords of Hyperdrive entries that stand in variables. */

import type { VpcModel } from "../model.ts";
import { envFilesOf, readVariables } from "../wrangler-config/find-environment.ts";

/**
 * Completes the model.
 *
 * @returns the `.env` files that were read or looked for, as absolute paths
 */
export function findPasswords({ hyperdrives, document: { folder } }: VpcModel): string[] {
  const entries = [...hyperdrives.values()].filter((entry) => entry.kind === "entry");
  const asking = entries.filter(({ passwordEnv }) => passwordEnv !== undefined);
  if (asking.length === 0) return [];
  const valueOf = readVariables(folder);
  for (const entry of asking) entry.password = valueOf(entry.passwordEnv ?? "");
  return envFilesOf(folder);
}
