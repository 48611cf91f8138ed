/** Files with bodies, which lie beside the HAR file that names them (Playwright's `_file`). */

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";

import { isInside } from "../system/is-inside.ts";
import { hasCode } from "../system/error.ts";
import { HarProblem } from "./har-problem.ts";

export interface BodyFile {
  /** The one of the HAR file. */
  folder: string;
  /** As the HAR file names it. */
  name: string;
  /** Where it does. */
  offset?: number | undefined;
  /** Of the entry that does, from 1. */
  entry?: number | undefined;
}

/** @returns its absolute path. @throws {HarProblem} if it lies elsewhere: a file from somebody else must not name yours */
export function placeOfBody({ folder, name, offset }: BodyFile): string {
  const file = path.resolve(folder, name);
  if (!isInside(folder, file))
    throw new HarProblem(`its "_file" ${JSON.stringify(name)} is outside of its folder`, offset);
  return file;
}

/** @throws {HarProblem} if it isn't there */
export async function checkBodyFile(file: BodyFile): Promise<void> {
  const found = await stat(placeOfBody(file)).catch(() => undefined);
  if (found?.isFile() !== true) throw missing(file);
}

/** @throws {HarProblem} if it isn't there */
export async function readBodyFile(file: BodyFile): Promise<Buffer> {
  return readFile(placeOfBody(file)).catch(() => {
    throw missing(file);
  });
}

/** The bytes, piece by piece. @throws {HarProblem} if it isn't there, or can't be read */
export async function* bodyFilePieces(file: BodyFile): AsyncGenerator<Buffer> {
  try {
    for await (const piece of createReadStream(placeOfBody(file))) yield piece as Buffer;
  } catch (error) {
    if (error instanceof HarProblem) throw error;
    if (hasCode(error, "ENOENT")) throw missing(file);
    const code = String((error as NodeJS.ErrnoException).code);
    throw new HarProblem(
      `the "_file" ${JSON.stringify(file.name)}${ofEntry(file)} can't be read: ${code}`,
      file.offset,
    );
  }
}

function missing(file: BodyFile): HarProblem {
  const whose = file.entry === undefined ? "its" : "the";
  return new HarProblem(`${whose} "_file" ${JSON.stringify(file.name)}${ofEntry(file)} is missing`, file.offset);
}

function ofEntry({ entry }: BodyFile): string {
  return entry === undefined ? "" : ` of its entry ${entry}`;
}
