/**
 * Prints problems that keep a command from answering: to standard error for people, or as JSON instead of the answer
 * for programs. `check` prints the same JSON as its answer.
 */

import { type Diagnostic, formatDiagnostics, sortDiagnostics } from "../diagnostics.ts";
import type { Terminal } from "./terminal.ts";

export interface Problems {
  errors: number;
  warnings: number;
  /** Sorted by file and position. */
  diagnostics: Diagnostic[];
}

/** What `--json` prints for problems, in every command. */
export function problemsToJson(diagnostics: readonly Diagnostic[]): Problems {
  return {
    errors: countOf("error", diagnostics),
    warnings: countOf("warning", diagnostics),
    diagnostics: sortDiagnostics(diagnostics),
  };
}

export function countOf(severity: Diagnostic["severity"], diagnostics: readonly Diagnostic[]): number {
  return diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
}

/** @param flags the flags of the command line */
export function printProblems(diagnostics: readonly Diagnostic[], flags: { json: boolean }, terminal: Terminal): void {
  if (flags.json) terminal.print(JSON.stringify(problemsToJson(diagnostics), undefined, 2));
  else terminal.printError(formatDiagnostics(diagnostics, terminal.cwd));
}
