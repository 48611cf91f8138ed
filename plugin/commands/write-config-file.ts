/** Writes a vpc config for a command; where it may not is the user's to mend. */

import { writeFileSync } from "node:fs";

import type { Diagnostic } from "../diagnostics.ts";
import { messageOf } from "../error.ts";

/** @param file absolute. @returns why it could not be written */
export function writeConfigFile(file: string, text: string): Diagnostic | undefined {
  try {
    writeFileSync(file, text);
    return undefined;
  } catch (error) {
    return {
      severity: "error",
      code: "config-not-writable",
      text: `the vpc config can't be written: ${messageOf(error)}`,
      file,
      notes: [],
    };
  }
}
