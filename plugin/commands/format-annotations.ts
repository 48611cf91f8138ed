/**
 * Formats diagnostics as GitHub Actions annotations.
 *
 * Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */

import path from "node:path";

import { type Diagnostic, sortDiagnostics } from "../diagnostics.ts";

/** @param root the root of the repository; files in annotations are relative to it */
export function formatAnnotations(diagnostics: readonly Diagnostic[], root: string): string {
  return sortDiagnostics(diagnostics)
    .map(({ severity, code, text, file, line, column, notes }) => {
      const properties: [string, string | number | undefined][] = [
        ["file", path.relative(root, file).split(path.sep).join("/")],
        ["line", line],
        ["col", column],
        ["title", code],
      ];
      const given = properties.flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${escapeProperty(String(value))}`],
      );
      return `::${severity} ${given.join(",")}::${escapeData([text, ...notes].join("\n"))}`;
    })
    .join("\n");
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
