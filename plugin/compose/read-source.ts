/**
 * Reads the text of a file of a compose project, or says why it can't. Does not parse it.
 */

import { hasCode, messageOf } from "../system/error.ts";
import { readFile } from "../read/read-file.ts";
import { decodeText } from "../read/read-text.ts";

export const MAX_FILES = 1000;

export interface FileBudget {
  filesLeft: number;
}

export interface NoSource {
  reason: "missing" | "unreadable" | "not-utf-8";
  /** Undefined if the file is missing. */
  problem?: string;
  notes: string[];
}

/** @param file absolute path */
export function readSource(file: string, budget: FileBudget): string | NoSource {
  // Files that include each other repeatedly can add up to more than any machine can read.
  if (--budget.filesLeft < 0) {
    return {
      reason: "unreadable",
      problem: `its compose project reads more than ${MAX_FILES} files`,
      notes: [],
    };
  }
  try {
    const text = decodeText(readFile(file));
    return typeof text === "string" ? text : { reason: "not-utf-8", problem: text.text, notes: text.notes };
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return { reason: "missing", notes: [] };
    return { reason: "unreadable", problem: messageOf(error), notes: [] };
  }
}
