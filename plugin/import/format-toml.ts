/**
 * Formats records as TOML, to paste into a vpc.toml.
 */

import { isPlainObject } from "../read/document.ts";

export function formatTomlSection(
  section: "services" | "hyperdrive",
  entries: readonly (readonly [key: string, value: Record<string, unknown>])[],
): string {
  return entries
    .map(([key, value]) =>
      [
        `[${section}.${JSON.stringify(key)}]`,
        ...Object.entries(value).map(([field, inner]) => `${field} = ${formatValue(inner)}`),
      ].join("\n"),
    )
    .join("\n\n");
}

/** On one line. A JSON string is also a valid TOML string. */
function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  if (!isPlainObject(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, inner]) => `${key} = ${formatValue(inner)}`);
  return `{ ${fields.join(", ")} }`;
}
