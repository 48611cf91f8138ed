/** The result of reading a config. */

import type { Diagnostic } from "../diagnostics.ts";
import { hasCode, messageOf } from "../system/error.ts";
import type { VpcDocument } from "./document.ts";

export interface TextResult {
  /** Undefined: it could not be read, and a diagnostic says why. */
  document: VpcDocument | undefined;
  diagnostics: Diagnostic[];
}

interface Source {
  file: string;
  folder: string;
}

/** Parses the text of a config. */
export type ReadText = (text: string, source: Source) => TextResult;

export interface ReadResult {
  /** Undefined: there is none, or it could not be read and a diagnostic says why. */
  document: VpcDocument | undefined;
  diagnostics: Diagnostic[];
  /** Absolute; where the config is or would be. */
  file: string;
  /** Absolute; a change to any of them, or its creation, changes the config. */
  watch: string[];
}

/** Reports a vpc config that is missing or that the file system refuses. */
export function unreadable(file: string, error: unknown): Diagnostic {
  const isMissing = hasCode(error, "ENOENT");
  return {
    severity: "error",
    code: isMissing ? "config-not-found" : "config-unreadable",
    text: isMissing ? "there is no such vpc config" : `the vpc config can't be read: ${messageOf(error)}`,
    file,
    notes: isMissing ? ["Create it, or correct its path."] : [],
  };
}
