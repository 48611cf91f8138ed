/** Several JSON documents one behind the other, as answers that were pasted together or NDJSON → one text each. */

import { createScanner } from "jsonc-parser";

import { positionsOf } from "../read/locate.ts";

/**
 * @returns texts in which each line and column is that of the whole; one that is broken holds all that follows, for
 * its reader to say why
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
