/**
 * JSON with comments and trailing commas → a document. Syntax only. Of a key given twice the last counts, as
 * everywhere in JSON, and a diagnostic says so: for the caller to heed.
 */

import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

import type { Diagnostic } from "../diagnostics.ts";
import { type LocatedNode, type Position, locateInTree, positionsOf } from "./locate.ts";
import type { ReadText } from "./read-text.ts";

export const readJsonc: ReadText = (text, { file, folder }) => {
  const diagnostics: Diagnostic[] = [];
  const errors: ParseError[] = [];
  const positionAt = positionsOf(text);
  const root = parseTree(text, errors, { allowTrailingComma: true });

  // After the first on a line, the parser's errors there are consequences; so is an end that comes too early.
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
        text: `${JSON.stringify(key)} is given twice: here and on line ${first.line}`,
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
      return { text: `${found} is not JSON`, notes: ["Keys and texts stand in double quotes."] };
    case "InvalidNumberFormat":
    case "UnexpectedEndOfNumber":
      return {
        text: `${found} is not a number of JSON`,
        notes: ["Write it in decimal, or as a text in double quotes."],
      };
    case "PropertyNameExpected":
      return { text: `a key is expected, but ${found} stands here`, notes: ["Keys stand in double quotes."] };
    case "ValueExpected":
      return { text: `a value is expected, but ${found} stands here`, notes: ["A config is one object in { }."] };
    case "ColonExpected":
      return { text: `a colon is expected, but ${found} stands here`, notes: ['Write "key": value.'] };
    case "CommaExpected":
      return { text: `a comma is expected before ${found}`, notes: ["Put a comma after the entry before it."] };
    case "CloseBraceExpected":
      return { text: `a } is expected, but ${found} stands here`, notes: [] };
    case "CloseBracketExpected":
      return { text: `a ] is expected, but ${found} stands here`, notes: [] };
    case "EndOfFileExpected":
      return { text: `${found} stands after the end of the config`, notes: ["A config is one object in { }."] };
    case "UnexpectedEndOfComment":
      return { text: "the comment is not closed", notes: ["Close it with */."] };
    case "UnexpectedEndOfString":
      return { text: "the text is not closed", notes: ['Close it with ".'] };
    case "InvalidUnicode":
    case "InvalidEscapeCharacter":
      return { text: `${found} holds an unknown escape`, notes: ["Write a backslash as \\\\."] };
    default:
      return { text: `${found} can't be read`, notes: [] };
  }
}

function quoted(text: string, { offset, length }: ParseError): string {
  const found = text.slice(offset, offset + Math.max(length, 1)).split("\n")[0] ?? "";
  return found.length > 40 ? `${found.slice(0, 40)}…` : found;
}
