/** Finds the mock server in the user's project. Never imports it: it is an optional package of theirs. */

import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

export const MOCK_SERVER = "@scalar/mock-server";
/** What is tested; the same range as in `peerDependencies`. */
const MOCK_SERVER_RANGE = "^0.14.4";

/** @param folder of the vpc config. @returns the URL of its module; undefined: it isn't installed */
export function findMockServer(folder: string): string | undefined {
  try {
    return pathToFileURL(createRequire(path.join(folder, "package.json")).resolve(MOCK_SERVER)).href;
  } catch {
    return undefined;
  }
}

export const INSTALL_MOCK_SERVER: string = `Type "npm install --save-dev ${MOCK_SERVER}@${MOCK_SERVER_RANGE}".`;
