/**
 * The bytes of a config that is text → a document, by its file's ending; and what goes wrong with text of any
 * format. Reads no files.
 */

import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import type { VpcDocument } from "./document.ts";
import { readJsonc } from "./read-jsonc.ts";
import { readToml } from "./read-toml.ts";

export interface TextResult {
  /** Undefined: it could not be read, and a diagnostic says why. */
  document: VpcDocument | undefined;
  diagnostics: Diagnostic[];
}

interface Source {
  file: string;
  folder: string;
}

/** Parses the text of a config. */
export type ReadText = (text: string, source: Source) => TextResult;

/** @param file absolute path; TOML when it ends in `.toml`, JSON with comments otherwise */
export function readText(bytes: Uint8Array, file: string): TextResult {
  const text = decodeText(bytes);
  if (typeof text === "object") return unreadable(file, text);
  const read = path.extname(file) === ".toml" ? readToml : readJsonc;
  try {
    return read(text, { file, folder: path.dirname(file) });
  } catch (error) {
    // The parsers call themselves once a level.
    if (!(error instanceof RangeError)) throw error;
    return unreadable(file, { code: "nested-too-deeply", text: "it is nested too deeply to be read", notes: [] });
  }
}

export type Unreadable = Pick<Diagnostic, "code" | "text" | "notes">;

/** @returns what is wrong with it, unless it is UTF-8; a mark at its start is left out */
export function decodeText(bytes: Uint8Array): string | Unreadable {
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const notes = ["Save it as UTF-8."];
  if (isUtf16) return { code: "not-utf-8", text: "it is UTF-16, but must be UTF-8", notes };
  // UTF-16 without a mark is full of zeros, as most files are that are no text.
  if (bytes.includes(0)) return { code: "not-utf-8", text: "it is not UTF-8 text", notes };
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { code: "not-utf-8", text: "it is not UTF-8 text", notes };
  }
}

function unreadable(file: string, problem: Unreadable): TextResult {
  return { document: undefined, diagnostics: [{ severity: "error", ...problem, file }] };
}
