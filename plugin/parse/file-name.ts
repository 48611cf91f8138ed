/** Checks that a value which names a file can be a name. A key that was pasted in its place is not quoted. */

import { existsSync } from "node:fs";
import path from "node:path";

import type { Parsing } from "../read/document.ts";
import { looksLikeContents } from "../read/hide-secrets.ts";
import type { Path } from "../read/locate.ts";

export interface WrittenName {
  /** As written: relative to the folder of the config. */
  name: string;
  at: Path;
  /** Begins the diagnostic: `"key"`, "the compose file". */
  what: string;
  /** A name to write instead: "./client.key". */
  example: string;
}

/** @returns whether it can be the name of a file, which need not exist. If not, that is reported */
export function isFileName(
  { name, at, what, example }: WrittenName,
  { document, report }: Pick<Parsing, "document" | "report">,
): boolean {
  if (!looksLikeContents(name) || existsSync(path.resolve(document.folder, name))) return true;
  report({
    code: "invalid-value",
    text: `${what} is not the name of a file; it looks like the contents of one`,
    at,
    notes: [`Save it in a file, and write the name of that file: "${example}".`],
  });
  return false;
}
