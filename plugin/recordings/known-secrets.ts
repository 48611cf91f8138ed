/** Secrets of this program that must not get into a recording, should a Worker have got hold of one. */

import { TOKEN_VARIABLE } from "../control/control-options.ts";

export function knownSecrets(): string[] {
  const token = process.env[TOKEN_VARIABLE];
  return token === undefined ? [] : [token];
}
