/**
 * Formats JSON as a person would: short objects on one line, long ones with one field per line.
 */

import { isPlainObject } from "../read/document.ts";

const MAX_LINE = 100;

export interface Layout {
  /** The indentation of the object's entries. */
  indent: string;
  /** The indentation of the line on which the object starts. */
  outerIndent: string;
  /** One level of indentation. */
  unit: string;
  lineEnd: string;
}

/** @param layout of the object that contains the value */
export function formatJson(value: unknown, layout: Pick<Layout, "indent" | "unit" | "lineEnd">): string {
  const inline = formatInline(value);
  if (!isPlainObject(value) || layout.indent.length + inline.length <= MAX_LINE) return inline;
  const indent = layout.indent + layout.unit;
  const fields = Object.entries(value).map(
    ([key, field]) => `${indent}${JSON.stringify(key)}: ${formatJson(field, { ...layout, indent })}`,
  );
  return `{${layout.lineEnd}${fields.join(`,${layout.lineEnd}`)}${layout.lineEnd}${layout.indent}}`;
}

/** `{ "a": [1, 2] }` */
function formatInline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatInline).join(", ")}]`;
  if (!isPlainObject(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}: ${formatInline(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
