/**
 * A file of a compose project → its text, or why there is none. Understands none of it.
 */

import { readFileSync } from "node:fs";

import { hasCode, messageOf } from "../error.ts";
import { decodeText } from "../read/read-text.ts";

export const MAX_FILES = 1000;

export interface FileBudget {
  filesLeft: number;
}

export interface NoSource {
  reason: "missing" | "unreadable" | "not-utf-8";
  /** Undefined for a missing one. */
  problem?: string;
  notes: string[];
}

/** @param file absolute path */
export function readSource(file: string, budget: FileBudget): string | NoSource {
  // Files that include each other many times over stand for more than any machine reads.
  if (--budget.filesLeft < 0) {
    return {
      reason: "unreadable",
      problem: `for its compose project, more than ${MAX_FILES} files would be read`,
      notes: [],
    };
  }
  try {
    const text = decodeText(readFileSync(file));
    return typeof text === "string" ? text : { reason: "not-utf-8", problem: text.text, notes: text.notes };
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return { reason: "missing", notes: [] };
    return { reason: "unreadable", problem: messageOf(error), notes: [] };
  }
}
