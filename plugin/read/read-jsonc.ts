/**
 * Reads JSON with comments and trailing commas into a document. Checks only the syntax. The last of two equal keys wins,
 * as usual in JSON; a diagnostic reports it, and the caller decides what it means.
 */

import { type ParseError, printParseErrorCode, visit } from "jsonc-parser";

import type { Diagnostic } from "../diagnostics.ts";
import { hideSecrets, showPiece } from "./hide-secrets.ts";
import { type LocatedNode, locateInTree, positionsOf } from "./locate.ts";
import { MAX_NESTING, NestedTooDeeply, describeNesting } from "./nesting.ts";
import type { ReadText } from "./result.ts";

export const readJsonc: ReadText = (text, { file, folder }) => {
  const diagnostics: Diagnostic[] = [];
  const errors: ParseError[] = [];
  const positionAt = positionsOf(text);
  const duplicates: Duplicate[] = [];
  let root: Read | undefined;
  try {
    root = readValue(text, {
      onError: (error) => errors.push(error),
      onDuplicate: (duplicate) => duplicates.push(duplicate),
    });
  } catch (error) {
    if (!(error instanceof NestedTooDeeply)) throw error;
    return describeNesting(file, positionAt(error.offset));
  }

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

  for (const { key, first, second } of duplicates) {
    diagnostics.push({
      severity: "error",
      code: "duplicate-key",
      text: `${hideSecrets(JSON.stringify(key))} is given twice: here and on line ${positionAt(first).line}`,
      file,
      ...positionAt(second),
      notes: ["Remove one of them, or merge the two."],
    });
  }
  return {
    document: { file, folder, isData: true, value: root.value, locate: locateInTree(root.located, positionAt) },
    diagnostics,
  };
};

interface Duplicate {
  key: string;
  /** Offsets. */
  first: number;
  second: number;
}

interface Events {
  onError: (error: ParseError) => void;
  onDuplicate: (duplicate: Duplicate) => void;
}

/** A value and its place; the places are offsets. */
interface Read {
  value: unknown;
  located: LocatedNode<number>;
}

/** An object or an array whose end has not been read. */
interface Open {
  value: Record<string, unknown> | unknown[];
  located: LocatedNode<number>;
  /** The last key, and its offset. */
  key: string;
  keyAt: number;
}

/** Of a value without children. One for all, because a config can have very many of them. */
const NO_CHILDREN: LocatedNode<number>["children"] = new Map();

/** @returns undefined if there is none. @throws {NestedTooDeeply} */
function readValue(text: string, { onError, onDuplicate }: Events): Read | undefined {
  let root: Read | undefined;
  const open: Open[] = [];

  /** @returns the place of the value, in what is open */
  function add(value: unknown, at: number, children: LocatedNode<number>["children"]): LocatedNode<number> {
    const parent = open.at(-1);
    const isInList = parent === undefined || Array.isArray(parent.value);
    const located = { key: isInList ? at : parent.keyAt, value: at, children };
    if (parent === undefined) {
      root = { value, located };
    } else if (Array.isArray(parent.value)) {
      parent.located.children.set(String(parent.value.push(value) - 1), located);
    } else {
      const earlier = parent.located.children.get(parent.key);
      if (earlier !== undefined) onDuplicate({ key: parent.key, first: earlier.key, second: parent.keyAt });
      parent.located.children.set(parent.key, located);
      parent.value[parent.key] = value;
    }
    return located;
  }

  function begin(value: Open["value"], at: number): void {
    if (open.length === MAX_NESTING) throw new NestedTooDeeply(at);
    open.push({ value, located: add(value, at, new Map()), key: "", keyAt: at });
  }

  visit(
    text,
    {
      // Without a prototype, so that "__proto__" is a key like any other.
      onObjectBegin: (offset) => begin(Object.create(null), offset),
      onArrayBegin: (offset) => begin([], offset),
      onObjectEnd: () => void open.pop(),
      onArrayEnd: () => void open.pop(),
      onObjectProperty(key, offset) {
        const parent = open.at(-1);
        if (parent !== undefined) Object.assign(parent, { key, keyAt: offset });
      },
      onLiteralValue: (value, offset) => void add(value, offset, NO_CHILDREN),
      onError: (error, offset, length) => onError({ error, offset, length }),
    },
    { allowTrailingComma: true },
  );
  return root;
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
