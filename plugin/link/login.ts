/** The login of a Hyperdrive entry, with its password. Quotes no password. */

import type { DatabaseLogin, Entry, HyperdriveModel } from "../model.ts";
import { type Report, quote } from "../read/document.ts";

/** @returns undefined if the variable with the password is not set, which is reported */
export function loginOf(
  { at, scheme, database, user, password, passwordEnv = "" }: Entry<HyperdriveModel> & { kind: "entry" },
  report: Report,
): DatabaseLogin | undefined {
  if (password !== undefined) return { scheme, database, user, password };
  report({
    code: "password-not-set",
    text: `the variable ${quote(passwordEnv)}, which "passwordEnv" names, is not set`,
    at: [...at, "passwordEnv"],
    notes: [
      `Set it in the environment before the start: ${passwordEnv}=…. wrangler makes a variable of a .env file a binding of the Worker, too.`,
    ],
  });
  return undefined;
}
