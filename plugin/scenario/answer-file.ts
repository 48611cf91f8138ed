/** The file that an answer names. */

import { readFile } from "node:fs/promises";
import path from "node:path";

import { messageOf } from "../system/error.ts";

/** What to do about a file that can't be read. @param file as the answer names it */
export function adviceOnFile(file: string): string {
  return `Restore the file, or correct "file": ${JSON.stringify(file)}.`;
}

/** @param folder the base of a relative path. @throws {Error} that says why it can't be read */
export async function readAnswerFile(folder: string, file: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await readFile(path.resolve(folder, file));
  } catch (error) {
    throw new Error(`the file of the answer can't be read: ${messageOf(error)}`, { cause: error });
  }
}
