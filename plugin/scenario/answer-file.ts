/** The file that an answer names. */

import { readFile } from "node:fs/promises";
import path from "node:path";

import { messageOf } from "../system/error.ts";

/** @param folder the base of a relative path. @throws {Error} that says why it can't be read */
export async function readAnswerFile(folder: string, file: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await readFile(path.resolve(folder, file));
  } catch (error) {
    throw new Error(`the file of the answer can't be read: ${messageOf(error)}`, { cause: error });
  }
}
