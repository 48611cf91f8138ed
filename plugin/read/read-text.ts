/**
 * Reads the bytes of a text config into a document, by the file's extension. Reports problems that text of any format can
 * have. Reads no files.
 */

import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { readJsonc } from "./read-jsonc.ts";
import { readToml } from "./read-toml.ts";
import type { TextResult } from "./result.ts";

/** @param file absolute path; `.toml` is TOML, anything else is JSON with comments */
export function readText(bytes: Uint8Array, file: string): TextResult {
  const text = decodeText(bytes);
  if (typeof text === "object") return unreadable(file, text);
  const read = path.extname(file) === ".toml" ? readToml : readJsonc;
  return read(text, { file, folder: path.dirname(file) });
}

export type Unreadable = Pick<Diagnostic, "code" | "text" | "notes">;

/** @returns the text without a byte order mark, or the problem if it isn't UTF-8 */
export function decodeText(bytes: Uint8Array): string | Unreadable {
  const notes = ["Save it as UTF-8."];
  if (encodingOf(bytes) !== undefined) return { code: "not-utf-8", text: "it is UTF-16, but must be UTF-8", notes };
  // UTF-16 without a byte order mark is full of zeros, as most binary files are.
  if (bytes.includes(0)) return { code: "not-utf-8", text: "it is not UTF-8 text", notes };
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { code: "not-utf-8", text: "it is not UTF-8 text", notes };
  }
}

/** Also reads UTF-16 with a byte order mark, which Windows PowerShell writes. @returns as `decodeText` */
export function decodeExport(bytes: Uint8Array): string | Unreadable {
  const encoding = encodingOf(bytes);
  return encoding === undefined ? decodeText(bytes) : new TextDecoder(encoding).decode(bytes);
}

/** By the byte order mark; undefined if there is none of UTF-16. */
function encodingOf([first, second]: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

function unreadable(file: string, problem: Unreadable): TextResult {
  return { document: undefined, diagnostics: [{ severity: "error", ...problem, file }] };
}
