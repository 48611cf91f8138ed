/** From the offset of a byte in a file to its line and column. */

import { open } from "node:fs/promises";

import { readPieces } from "./index-har.ts";

const LINE_FEED = 0x0a;

/** @returns both from 1, the column in UTF-16 units */
export async function locateOffset(file: string, offset: number): Promise<{ line: number; column: number }> {
  await using handle = await open(file);
  let line = 1;
  let start: Buffer[] = [];
  for await (const piece of readPieces(handle, { start: 0, end: offset })) {
    const last = piece.lastIndexOf(LINE_FEED);
    for (let index = piece.indexOf(LINE_FEED); index !== -1; index = piece.indexOf(LINE_FEED, index + 1)) line++;
    if (last !== -1) start = [];
    start.push(piece.subarray(last + 1));
  }
  return { line, column: Buffer.concat(start).toString().length + 1 };
}
