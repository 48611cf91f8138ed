/** Writes a vpc config for a command. A failure is a diagnostic, because the user can fix it. */

import { writeFileSync } from "node:fs";

import type { Diagnostic } from "../diagnostics.ts";
import { messageOf } from "../system/error.ts";
import { retryWhileLocked } from "../system/locked-files.ts";

/** @param file absolute path. @returns a diagnostic if the file could not be written */
export function writeConfigFile(file: string, text: string): Diagnostic | undefined {
  try {
    retryWhileLocked(() => writeFileSync(file, text));
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
