/** Reads `--record [FILE]`. Checks it before wrangler starts. */

import { existsSync, statSync } from "node:fs";
import path from "node:path";

import { UsageError } from "../commands/usage-error.ts";
import { DEFAULT_STYLE, type RecordingSpec } from "../recordings/recording-spec.ts";

/** In the working directory. */
const DEFAULT_FILE = "vpc.har";

/**
 * @param text what follows `--record`; "" if nothing does; undefined without the flag
 * @throws {UsageError} if it is a folder
 */
export function readRecord(text: string | undefined, cwd: string): RecordingSpec | undefined {
  if (text === undefined) return undefined;
  const file = path.resolve(cwd, text === "" ? DEFAULT_FILE : text);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new UsageError(
      `"--record" can't be ${JSON.stringify(text)}, which is a folder. Write the name of a file in it.`,
    );
  return { file, redact: [], style: DEFAULT_STYLE };
}

/**
 * wrangler takes a word after `--record` that doesn't end in `.har` for its script.
 *
 * @param given the arguments of `dev`. @param script what wrangler takes for it
 * @throws {UsageError} if there is no such script
 */
export function checkAfterRecord(given: readonly string[], script: string | undefined, cwd: string): void {
  const at = given.indexOf("--record");
  if (at === -1 || script === undefined || given[at + 1] !== script || existsSync(path.resolve(cwd, script))) return;
  throw new UsageError(
    `there is no file ${JSON.stringify(script)}, which wrangler takes for the Worker's script because it doesn't end in ".har". To record in it, write --record=${script}.`,
  );
}
