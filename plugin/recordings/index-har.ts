/**
 * Reads a HAR file once from its beginning to its end, and remembers where each entry is and which requests it answers.
 * Bodies stay in the file.
 */

import type { FileHandle } from "node:fs/promises";

import { type CollectedEntries, EntryCollector } from "./collect-entries.ts";
import { HarProblem } from "./har-problem.ts";
import type { MatchSettings } from "./request-key.ts";
import { JsonProblem, JsonScanner } from "./scan-json.ts";

/** Bytes read at once. */
const PIECE = 256 * 1024;

/** @param range the whole file, or a value of it. Its pieces may be kept */
export async function* readPieces(file: FileHandle, range?: { start: number; end: number }): AsyncGenerator<Buffer> {
  let position = range?.start ?? 0;
  const end = range?.end ?? Infinity;
  while (position < end) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, end - position));
    const { bytesRead } = await file.read(piece, 0, piece.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

/** @param folder the one of the file. @throws {HarProblem} */
export async function indexHar(file: FileHandle, folder: string, settings: MatchSettings): Promise<CollectedEntries> {
  const found = await scan(file, folder, settings);
  if (found.redacted.size === 0) return found;
  // What was a secret can't be compared, so the keys are made anew without it.
  const ignore = new Set([...settings.ignore, ...found.redacted]);
  return scan(file, folder, { ...settings, ignore });
}

async function scan(file: FileHandle, folder: string, settings: MatchSettings): Promise<CollectedEntries> {
  const collector = new EntryCollector(folder, settings);
  const scanner = new JsonScanner(collector);
  let isFirst = true;
  try {
    for await (const piece of readPieces(file)) {
      if (isFirst) checkFormat(piece);
      isFirst = false;
      scanner.write(piece);
    }
    scanner.end();
  } catch (error) {
    if (error instanceof JsonProblem) throw new HarProblem(`it is not JSON: ${error.message}`, error.offset);
    throw error;
  }
  return collector.finish();
}

const ZIP = Buffer.from("PK\u0003\u0004");
const UTF16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

function checkFormat(piece: Buffer): void {
  if (piece.subarray(0, ZIP.length).equals(ZIP))
    throw new HarProblem("it is a zip file; unzip it, and name the .har file in it");
  if (UTF16.some((mark) => piece.subarray(0, mark.length).equals(mark)))
    throw new HarProblem("it is in UTF-16; save it as UTF-8");
}
