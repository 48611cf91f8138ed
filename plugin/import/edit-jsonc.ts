/**
 * Edits JSON with comments and keeps every comment, every blank line and the order of keys. Takes only text without
 * syntax errors.
 */

import { type Node, createScanner, findNodeAtLocation, parseTree } from "jsonc-parser";

import type { Path } from "../read/locate.ts";
import { type Layout, formatJson } from "./format-json.ts";

export interface NewValue {
  path: Path;
  value: unknown;
}

/**
 * Replaces values, and adds missing keys at the end of their objects. No path may be inside another path.
 *
 * @throws {Error} if the object of a missing key doesn't exist
 */
export function setValues(text: string, all: readonly NewValue[]): string {
  const root = rootOf(text);
  const placed = all.map(({ path, value }) => ({ path, value, node: findNodeAtLocation(root, [...path]) }));
  const present = placed.flatMap(({ value, node }) => (node === undefined ? [] : [{ value, node }]));
  let edited = text;
  // From the end, so that the offsets of the other values stay valid.
  for (const { value, node } of present.toSorted((one, other) => other.node.offset - one.node.offset)) {
    edited = splice(edited, node, formatJson(value, layoutAt(text, node.parent ?? node)));
  }
  for (const { path, value, node } of placed) {
    if (node === undefined) edited = addEntries(edited, path.slice(0, -1), [[String(path.at(-1)), value]]);
  }
  return edited;
}

/** Adds keys at the end of an object. @throws {Error} if the object doesn't exist */
export function addEntries(
  text: string,
  path: Path,
  entries: readonly (readonly [key: string, value: unknown])[],
): string {
  if (entries.length === 0) return text;
  const object = objectAt(text, path);
  const properties = object.children ?? [];
  const last = properties.at(-1);
  const layout = layoutAt(text, object);
  const isInline = last !== undefined && !text.slice(object.offset, endOf(object)).includes("\n");
  const separator = isInline ? " " : `${layout.lineEnd}${layout.indent}`;
  const written = entries
    .map(([key, value]) => `${JSON.stringify(key)}: ${formatJson(value, layout)}`)
    .join(`,${separator}`);
  const close = endOf(object) - 1;
  if (last === undefined) {
    // The object is empty or has only comments.
    const inside = text.slice(object.offset + 1, close).trimEnd();
    const end = `${layout.lineEnd}${layout.outerIndent}`;
    return `${text.slice(0, object.offset + 1)}${inside}${separator}${written}${end}${text.slice(close)}`;
  }
  const comma = findComma(text, endOf(last), close);
  const afterLast = comma === undefined ? endOf(last) : comma + 1;
  const at = isInline ? afterLast : endOfLine(text, afterLast, close);
  const upTo = `${text.slice(0, endOf(last))}${comma === undefined ? "," : ""}${text.slice(endOf(last), at)}`;
  return `${upTo}${separator}${written}${comma === undefined ? "" : ","}${text.slice(at)}`;
}

/** Removes a key and its value, and the comma that becomes superfluous. */
export function removeEntry(text: string, path: Path): string {
  const property = findNodeAtLocation(rootOf(text), [...path])?.parent;
  const siblings = property?.parent?.children ?? [];
  const index = property === undefined ? -1 : siblings.indexOf(property);
  if (property === undefined || index === -1) return text;
  const close = endOf(property.parent ?? property) - 1;
  const comma = findComma(text, endOf(property), close);
  let start = property.offset;
  let end = comma === undefined ? endOf(property) : comma + 1;
  const lineStart = text.lastIndexOf("\n", start) + 1;
  const isFirstOnLine = text.slice(lineStart, start).trim() === "";
  const restOfLine = /[ \t]*/.exec(text.slice(end))?.[0] ?? "";
  if (isFirstOnLine && /^(\r?\n|$)/.test(text.slice(end + restOfLine.length))) {
    start = Math.max(lineStart - 1, 0);
    end += restOfLine.length;
    if (text[start - 1] === "\r") start--;
  } else if (comma !== undefined) end += restOfLine.length;
  else while (text[start - 1] === " ") start--;
  const without = text.slice(0, start) + text.slice(end);
  const before = siblings[index - 1];
  if (comma !== undefined || before === undefined) return without;
  // The removed entry was the last and had no trailing comma, so the entry before it loses its comma.
  const surplus = findComma(text, endOf(before), property.offset);
  return surplus === undefined ? without : without.slice(0, surplus) + without.slice(surplus + 1);
}

function layoutAt(text: string, node: Node): Layout {
  const object = node.type === "property" ? (node.parent ?? node) : node;
  const unit = /\n([ \t]+)["/]/.exec(text)?.[1] ?? "  ";
  const outerIndent = indentOf(text, object.offset);
  const [first] = object.children ?? [];
  const isOnLineOfItsOwn = first !== undefined && text.slice(object.offset, first.offset).includes("\n");
  return {
    indent: isOnLineOfItsOwn ? indentOf(text, first.offset) : outerIndent + unit,
    outerIndent,
    unit,
    lineEnd: text.includes("\r\n") ? "\r\n" : "\n",
  };
}

function indentOf(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", offset - 1) + 1))?.[0] ?? "";
}

function rootOf(text: string): Node {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root === undefined) throw new Error("there is no value in this text");
  return root;
}

function objectAt(text: string, path: Path): Node {
  const node = findNodeAtLocation(rootOf(text), [...path]);
  if (node?.type !== "object") throw new Error(`there is no object at ${path.join(".")}`);
  return node;
}

function endOf(node: Node): number {
  return node.offset + node.length;
}

function splice(text: string, node: Node, replacement: string): string {
  return text.slice(0, node.offset) + replacement + text.slice(endOf(node));
}

/** The offset of the next token if it is a comma. Skips comments. */
function findComma(text: string, from: number, to: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return text[at] === "," && at < to ? at : undefined;
}

/** The offset after the comments on the same line, because they belong to the entry before them. */
function endOfLine(text: string, from: number, to: number): number {
  const scanner = createScanner(text, false);
  scanner.setPosition(from);
  let end = from;
  for (;;) {
    scanner.scan();
    const at = scanner.getTokenOffset();
    const token = text.slice(at, at + scanner.getTokenLength());
    if (at >= to || !/^([^\S\n]+|\/[/*][^]*)$/.test(token)) return end;
    if (token.startsWith("/")) end = at + token.length;
  }
}
