/**
 * JSON as a person would write it: what is short on one line, the rest a field a line.
 */

import { isTable } from "../read/document.ts";
import type { Layout } from "./edit-jsonc.ts";

const MAX_LINE = 100;

/** @param layout of the object whose entry the value is */
export function formatJson(value: unknown, layout: Pick<Layout, "indent" | "unit" | "lineEnd">): string {
  const inline = formatInline(value);
  if (!isTable(value) || layout.indent.length + inline.length <= MAX_LINE) return inline;
  const indent = layout.indent + layout.unit;
  const fields = Object.entries(value).map(
    ([key, field]) => `${indent}${JSON.stringify(key)}: ${formatJson(field, { ...layout, indent })}`,
  );
  return `{${layout.lineEnd}${fields.join(`,${layout.lineEnd}`)}${layout.lineEnd}${layout.indent}}`;
}

/** `{ "a": [1, 2] }` */
function formatInline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatInline).join(", ")}]`;
  if (!isTable(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}: ${formatInline(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
