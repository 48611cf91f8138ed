/**
 * Reads JSON with comments and trailing commas into a document. Checks only the syntax. The last of two equal keys wins,
 * as usual in JSON; a diagnostic reports it, and the caller decides what it means.
 */

import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

import type { Diagnostic } from "../diagnostics.ts";
import { hideSecrets, showPiece } from "./hide-secrets.ts";
import { type LocatedNode, type Position, locateInTree, positionsOf } from "./locate.ts";
import type { ReadText } from "./result.ts";

export const readJsonc: ReadText = (text, { file, folder }) => {
  const diagnostics: Diagnostic[] = [];
  const errors: ParseError[] = [];
  const positionAt = positionsOf(text);
  const root = parseTree(text, errors, { allowTrailingComma: true });

  // Only the first error on a line counts, because the parser's others follow from it; so does an early end of the file.
  const seen = new Set<number>();
  for (const error of errors) {
    const position = positionAt(error.offset);
    const isLostTrack = printParseErrorCode(error.error) === "EndOfFileExpected" && seen.size > 0;
    if (isLostTrack || seen.has(position.line)) continue;
    seen.add(position.line);
    diagnostics.push({ severity: "error", code: "json-syntax", ...describe(error, text), file, ...position });
  }
  if (root === undefined || errors.length > 0) return { document: undefined, diagnostics };

  const { value, located } = convert(root, {
    positionAt,
    onDuplicate(key, { first, second }) {
      diagnostics.push({
        severity: "error",
        code: "duplicate-key",
        text: `${hideSecrets(JSON.stringify(key))} is given twice: here and on line ${first.line}`,
        file,
        ...second,
        notes: ["Remove one of them, or merge the two."],
      });
    },
  });
  return { document: { file, folder, value, locate: locateInTree(located) }, diagnostics };
};

interface Conversion {
  positionAt(offset: number): Position;
  onDuplicate(key: string, at: { first: Position; second: Position }): void;
}

interface Converted {
  value: unknown;
  located: LocatedNode;
}

function convert(node: Node, conversion: Conversion, key?: Position): Converted {
  const at = conversion.positionAt(node.offset);
  const located: LocatedNode = { key: key ?? at, value: at, children: new Map() };
  if (node.type === "array") {
    const items = (node.children ?? []).map((child, index) => {
      const item = convert(child, conversion);
      located.children.set(String(index), item.located);
      return item.value;
    });
    return { value: items, located };
  }
  if (node.type !== "object") return { value: node.value, located };

  // Without a prototype, so that "__proto__" is a key like any other.
  const value: Record<string, unknown> = Object.create(null);
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? [];
    if (keyNode === undefined || valueNode === undefined) continue;
    const name = String(keyNode.value);
    const keyAt = conversion.positionAt(keyNode.offset);
    const earlier = located.children.get(name);
    if (earlier !== undefined) conversion.onDuplicate(name, { first: earlier.key, second: keyAt });
    const child = convert(valueNode, conversion, keyAt);
    located.children.set(name, child.located);
    value[name] = child.value;
  }
  return { value, located };
}

function describe(error: ParseError, text: string): Pick<Diagnostic, "text" | "notes"> {
  const found = error.offset >= text.trimEnd().length ? "the end of the file" : quoted(text, error);
  switch (printParseErrorCode(error.error)) {
    case "InvalidSymbol":
    case "InvalidCharacter":
      return { text: `${found} is not JSON`, notes: ["Keys and strings must be in double quotes."] };
    case "InvalidNumberFormat":
    case "UnexpectedEndOfNumber":
      return {
        text: `${found} is not a JSON number`,
        notes: ["Write it in decimal, or as a string in double quotes."],
      };
    case "PropertyNameExpected":
      return { text: `expected a key, but found ${found}`, notes: ["Keys must be in double quotes."] };
    case "ValueExpected":
      return { text: `expected a value, but found ${found}`, notes: ["A config is one object in { }."] };
    case "ColonExpected":
      return { text: `expected a colon, but found ${found}`, notes: ['Write "key": value.'] };
    case "CommaExpected":
      return { text: `expected a comma before ${found}`, notes: ["Put a comma after the entry before it."] };
    case "CloseBraceExpected":
      return { text: `expected a }, but found ${found}`, notes: [] };
    case "CloseBracketExpected":
      return { text: `expected a ], but found ${found}`, notes: [] };
    case "EndOfFileExpected":
      return { text: `${found} comes after the end of the config`, notes: ["A config is one object in { }."] };
    case "UnexpectedEndOfComment":
      return { text: "the comment is not closed", notes: ["Close it with */."] };
    case "UnexpectedEndOfString":
      return { text: "the string is not closed", notes: ['Close it with ".'] };
    case "InvalidUnicode":
    case "InvalidEscapeCharacter":
      return { text: `${found} contains an unknown escape`, notes: ["Write a backslash as \\\\."] };
    default:
      return { text: `${found} can't be read`, notes: [] };
  }
}

function quoted(text: string, { offset, length }: ParseError): string {
  const found = showPiece(text, { offset, length });
  return found.length > 40 ? `${found.slice(0, 40)}…` : found;
}
