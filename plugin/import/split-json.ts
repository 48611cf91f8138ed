/** Splits consecutive JSON documents, such as NDJSON or several responses pasted together, into one text each. */

import { stripVTControlCharacters } from "node:util";

import { createScanner } from "jsonc-parser";

import { positionsOf } from "../read/locate.ts";

/**
 * @returns texts with the same lines and columns as the whole text. A broken document includes everything after it, so
 * that its reader reports the syntax error.
 */
export function splitJson(text: string): string[] {
  const scanner = createScanner(text, true);
  const starts: number[] = [];
  let depth = 0;
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const at = scanner.getTokenOffset();
    const first = text[at];
    if (first === "{" || first === "[") {
      if (depth === 0) starts.push(starts.length === 0 ? 0 : at);
      depth++;
    } else if (first === "}" || first === "]") depth--;
  }
  const positionAt = positionsOf(text);
  return starts.map((start, index) => {
    const { line, column } = positionAt(start);
    const above = "\n".repeat(line - 1) + " ".repeat(column - 1);
    return above + text.slice(start, starts[index + 1]);
  });
}

/** The lines of wrangler's banner. In JSON, no line is like them. */
const BANNER = /^\s*(?:⛅\S* wrangler .*|─+)\s*$/u;
/** JSON as wrangler prints it. A TOML section starts in another way. */
const START = /^(?:\{|\[\s*(?:\{|$))/;

/**
 * wrangler prints its banner to standard output too, before the JSON of `hyperdrive get`.
 *
 * @returns the text with blank lines in place of the banners and of what is above the first document, so that each place
 * stays; undefined if it has no JSON
 */
export function jsonIn(text: string): string | undefined {
  if (/^\s*[[{]/.test(text) && !text.includes("⛅")) return text;
  const lines = text.split("\n").map((line) => (BANNER.test(stripVTControlCharacters(line)) ? "" : line));
  const first = lines.findIndex((line) => START.test(line));
  return first === -1 ? undefined : lines.map((line, index) => (index < first ? "" : line)).join("\n");
}
