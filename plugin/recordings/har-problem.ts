/** Why a file can't be replayed, in words that continue "the recording …". */

import type { Diagnostic } from "../diagnostics.ts";

export class HarProblem extends Error {
  /** Of the byte in the file, if the mistake has a place there. */
  readonly offset: number | undefined;

  constructor(message: string, offset?: number) {
    super(message);
    this.offset = offset;
  }
}

export const MISSING = "it does not exist";

/** @returns a sentence for when a config stays in force, but a file that it names has a mistake: bodies are read from it */
export function aboutRecordings(diagnostics: readonly Diagnostic[]): string {
  const isBroken = diagnostics.some(
    ({ code, text }) => code === "broken-recording" && text.includes("can't be replayed"),
  );
  return isBroken ? " A recording is read from its file, so its calls fail until that can be replayed." : "";
}
