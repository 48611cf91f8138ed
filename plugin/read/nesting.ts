/**
 * Refuses what is nested so deeply that a function which recurses once per level, such as a parser, would overflow the
 * stack.
 */

import type { Position } from "./locate.ts";
import type { TextResult } from "./result.ts";

/** Levels. An eighth of what overflows the stack. */
export const MAX_NESTING = 500;

export const DEEP: string = `the nesting is deeper than ${MAX_NESTING} levels`;

const OPENING: ReadonlySet<string> = new Set(["(", "[", "{"]);
const CLOSING: ReadonlySet<string> = new Set([")", "]", "}"]);

/** @param value without cycles */
export function isDeep(value: unknown, levels: number = MAX_NESTING): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeep(each, levels - 1));
}

/**
 * Looks before a parser overflows the stack.
 *
 * @param tokens in their order; only brackets count
 * @returns where the first bracket that is too deep stands
 */
export function findDeepBracket(tokens: Iterable<{ text: string; offset: number }>): number | undefined {
  let depth = 0;
  for (const { text, offset } of tokens) {
    if (CLOSING.has(text)) depth--;
    else if (OPENING.has(text) && ++depth > MAX_NESTING) return offset;
  }
  return undefined;
}

export class NestedTooDeeply extends Error {
  /** Of the first value that is too deep. */
  readonly offset: number;

  constructor(offset: number) {
    super("nested too deeply");
    this.offset = offset;
  }
}

export function describeNesting(file: string, position: Position): TextResult {
  const notes = ["Remove levels, or keep them in a file of their own."];
  const code = "nested-too-deeply";
  return { document: undefined, diagnostics: [{ severity: "error", code, text: DEEP, file, ...position, notes }] };
}
