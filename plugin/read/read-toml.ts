/**
 * Reads TOML into a document. Checks only the syntax. Dates stay text, because no field of a config is a date.
 */

import { type AST, ParseError, parseTOML } from "toml-eslint-parser";

import type { Diagnostic } from "../diagnostics.ts";
import { type LocatedNode, type Position, locateInTree, positionsOf } from "./locate.ts";
import { MAX_NESTING, NestedTooDeeply, describeNesting, findDeepBracket } from "./nesting.ts";
import type { ReadText } from "./result.ts";

export const readToml: ReadText = (text, { file, folder }) => {
  try {
    refuseNesting(text);
    const { value, located } = convertProgram(parseTOML(text));
    return {
      document: { file, folder, isData: true, value, locate: locateInTree(located, (position) => position) },
      diagnostics: [],
    };
  } catch (error) {
    if (error instanceof NestedTooDeeply) return describeNesting(file, positionsOf(text)(error.offset));
    if (!(error instanceof ParseError)) throw error;
    return { document: undefined, diagnostics: [diagnose(error, { text, file })] };
  }
};

/** Strings, comments and brackets. */
const TOKEN = /"""(?:\\[^]|[^\\])*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#.*|[[\]{}]/g;

/** @throws {NestedTooDeeply} */
function refuseNesting(text: string): void {
  const offset = findDeepBracket(text.matchAll(TOKEN).map(({ 0: token, index }) => ({ text: token, offset: index })));
  if (offset !== undefined) throw new NestedTooDeeply(offset);
}

interface Table {
  value: Record<string, unknown> | unknown[];
  located: LocatedNode;
}

function convertProgram(program: AST.TOMLProgram): Table {
  const root = newTable({ line: 1, column: 1 });
  for (const statement of program.body[0].body) {
    if (statement.type === "TOMLKeyValue") {
      place(root, statement);
      continue;
    }
    let table = root;
    const { keys, range } = statement.key;
    if (keys.length > MAX_NESTING) throw new NestedTooDeeply(range[0]);
    // An array index in the resolved key has no key in the source.
    let written = 0;
    for (const [index, segment] of statement.resolvedKey.entries()) {
      const key = typeof segment === "string" ? keys[written++] : keys[written - 1];
      const isList = typeof statement.resolvedKey[index + 1] === "number";
      table = descend(table, { segment, at: positionOf(key ?? statement), isList });
    }
    for (const pair of statement.body) place(table, pair);
  }
  return root;
}

/** Sets `a.b = value` in a table. */
function place(table: Table, { key, value }: AST.TOMLKeyValue): void {
  let parent = table;
  if (key.keys.length > MAX_NESTING) throw new NestedTooDeeply(key.range[0]);
  for (const part of key.keys.slice(0, -1)) parent = descend(parent, { segment: keyText(part), at: positionOf(part) });
  const last = key.keys.at(-1);
  if (last === undefined) return;
  set(parent, keyText(last), convert(value, positionOf(last)));
}

function convert(node: AST.TOMLContentNode, keyAt: Position): { value: unknown; located: LocatedNode } {
  const at = positionOf(node);
  switch (node.type) {
    case "TOMLValue":
      return {
        value: "datetime" in node ? node.datetime : node.value,
        located: { key: keyAt, value: at, children: new Map() },
      };
    case "TOMLArray": {
      const list = newList(keyAt, at);
      for (const [index, element] of node.elements.entries()) set(list, index, convert(element, positionOf(element)));
      return list;
    }
    case "TOMLInlineTable": {
      const table = newTable(keyAt, at);
      for (const pair of node.body) place(table, pair);
      return table;
    }
    default:
      return node satisfies never;
  }
}

function newTable(key: Position, value: Position = key): Table {
  // Without a prototype, so that "__proto__" is a key like any other.
  return { value: Object.create(null), located: { key, value, children: new Map() } };
}

function newList(key: Position, value: Position = key): Table {
  return { value: [], located: { key, value, children: new Map() } };
}

/** Returns the table or list under a key, and creates it if there is none. */
function descend(
  { value, located }: Table,
  { segment, at, isList = false }: { segment: string | number; at: Position; isList?: boolean },
): Table {
  const child = located.children.get(String(segment));
  const existing = Reflect.get(value, segment);
  if (child !== undefined && typeof existing === "object") return { value: existing, located: child };
  const made = isList ? newList(at) : newTable(at);
  set({ value, located }, segment, made);
  return made;
}

function set(table: Table, segment: string | number, child: { value: unknown; located: LocatedNode }): void {
  Reflect.set(table.value, segment, child.value);
  table.located.children.set(String(segment), child.located);
}

function keyText(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === "TOMLBare" ? key.name : key.value;
}

function positionOf(node: AST.TOMLNode): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}

const DUPLICATE = /defining a key multiple times/i;

function diagnose(error: ParseError, { text, file }: { text: string; file: string }): Diagnostic {
  const position = { line: error.lineNumber, column: error.column + 1 };
  if (!DUPLICATE.test(error.message)) {
    const message = error.message.slice(0, 1).toLowerCase() + error.message.slice(1).replace(/\.$/, "");
    return { severity: "error", code: "toml-syntax", text: `not TOML: ${message}`, file, ...position, notes: [] };
  }
  const duplicate = findDuplicate(text, error.lineNumber);
  return {
    severity: "error",
    code: "duplicate-key",
    text:
      duplicate === undefined
        ? "a key is given twice in one table"
        : `${JSON.stringify(duplicate.key)} is given twice: here and on line ${duplicate.line}`,
    file,
    ...position,
    notes: ["Remove one of them, or merge the two."],
  };
}

/**
 * Finds the first place of a duplicate key. The parser reports only the second one, but everything before it parses.
 *
 * @param line the line of the second place
 */
function findDuplicate(text: string, line: number): { key: string; line: number } | undefined {
  const lines = text.split("\n");
  const statement = /^\s*(?:\[.*\]|(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w\s.-])+(?==))/.exec(lines[line - 1] ?? "")?.[0];
  if (statement === undefined) return undefined;
  try {
    const before = parseTOML(lines.slice(0, line - 1).join("\n"));
    const [again] = parseTOML(statement.trimStart().startsWith("[") ? statement : `${statement} = 0`).body[0].body;
    if (again === undefined) return undefined;
    const own = again.key.keys.map(keyText);
    const table =
      again.type === "TOMLTable" ? undefined : before.body[0].body.findLast((node) => node.type === "TOMLTable");
    let node: LocatedNode | undefined = convertProgram(before).located;
    for (const segment of [...(table?.resolvedKey ?? []), ...own]) node = node?.children.get(String(segment));
    return node === undefined ? undefined : { key: own.at(-1) ?? "", line: node.key.line };
  } catch (error) {
    // A statement with several lines: the parser's position must be enough.
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
