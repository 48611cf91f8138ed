/** Splits consecutive JSON documents, such as NDJSON or several responses pasted together, into one text each. */

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
