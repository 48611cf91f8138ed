/** The bytes of a recorded body, piece by piece, whichever way the file has them. */

import type { FileHandle } from "node:fs/promises";

import { type BodyFile, bodyFilePieces } from "./body-file.ts";
import { readPieces } from "./index-har.ts";
import type { ReadEntry } from "./read-entry.ts";

/** @throws {HarProblem} if the body is a file that can't be read, or that the entry must not name */
export function bodyPieces(
  file: FileHandle,
  { response: { content }, bodyFile, text }: ReadEntry,
  place: Omit<BodyFile, "name">,
): AsyncIterable<Buffer> {
  if (bodyFile !== undefined) return bodyFilePieces({ ...place, name: bodyFile });
  if (text === undefined) return none();
  // Without the quotes.
  const pieces = unescape(readPieces(file, { start: text.start + 1, end: text.end - 1 }));
  return content.encoding === "base64" ? decodeBase64(pieces) : encode(pieces);
}

async function* none(): AsyncGenerator<Buffer> {}

/** Replaces the escapes of a JSON text (RFC 8259 §7). */
async function* unescape(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const end = safeEnd(bytes);
    yield toText(bytes.subarray(0, end));
    rest = bytes.subarray(end);
  }
  yield toText(rest);
}

function toText(bytes: Buffer): string {
  const text = bytes.toString();
  return text.includes("\\") ? String(JSON.parse(`"${text}"`)) : text;
}

const BACKSLASH = 0x5c;
/** `\ud83d`, which may be half of a character. */
const UNICODE_ESCAPE = 6;

/** @returns where the bytes may be cut, so that neither an escape nor a character goes on behind it */
export function safeEnd(bytes: Buffer): number {
  const last = bytes.lastIndexOf(BACKSLASH);
  if (last >= 0 && last > bytes.length - UNICODE_ESCAPE - 1) {
    const start = startOfEscape(bytes, last);
    const half = start - UNICODE_ESCAPE;
    const isSecondHalf = /^\\u[dD][89abAB]/.test(bytes.toString("latin1", Math.max(0, half), start));
    return isSecondHalf && half >= 0 && startOfEscape(bytes, half) === half ? half : start;
  }
  return endOfCharacters(bytes);
}

/** @returns the index of the backslash that begins the escape; it may itself be escaped by the one before it */
function startOfEscape(bytes: Buffer, backslash: number): number {
  let first = backslash;
  while (first > 0 && bytes[first - 1] === BACKSLASH) first--;
  return backslash - ((backslash - first) % 2);
}

/** The bytes of a character (RFC 3629 §3) begin with 11 and go on with 10. */
function endOfCharacters(bytes: Buffer): number {
  let start = bytes.length - 1;
  while (start > 0 && start > bytes.length - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--;
  const first = bytes[start] ?? 0;
  const size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return start + size > bytes.length ? start : bytes.length;
}

async function* encode(texts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const text of texts) if (text !== "") yield Buffer.from(text);
}

/** Four characters are three bytes (RFC 4648 §4). */
async function* decodeBase64(texts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let rest = "";
  for await (const text of texts) {
    const all = rest + text.replaceAll(/\s/g, "");
    const end = all.length - (all.length % 4);
    if (end > 0) yield Buffer.from(all.slice(0, end), "base64");
    rest = all.slice(end);
  }
  if (rest !== "") yield Buffer.from(rest, "base64");
}
