/** Checks that a file which the vpc config names is there. It is watched in either case. */

import { statSync } from "node:fs";
import path from "node:path";

import { type Parsing, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { isFileName } from "./file-name.ts";

export interface NamedFile {
  /** As written: relative to the folder of the config. */
  name: string;
  at: Path;
  /** Of the diagnostic. */
  code: string;
  /** Begins the diagnostic: "the OpenAPI document". */
  what: string;
  /** Default: error. */
  severity?: "warning";
  /** Before the one with the full path. */
  notes?: string[];
  /** A name to write instead of a text that can't be one. */
  example: string;
}

/** @returns whether there is such a file. If not, that is reported */
export function isNamedFile(
  { name, at, code, what, severity, notes = [], example }: NamedFile,
  { document, namedFiles, report }: Pick<Parsing, "document" | "namedFiles" | "report">,
): boolean {
  if (!isFileName({ name, at, what, example }, { document, report })) return false;
  const file = path.resolve(document.folder, name);
  namedFiles.add(file);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() === true) return true;
  const problem = found === undefined ? "does not exist" : "is not a file";
  report({
    ...(severity && { severity }),
    code,
    text: `${what} ${quote(name)} ${problem}`,
    at,
    notes: [...notes, `Its full path is ${file}.`],
  });
  return false;
}
