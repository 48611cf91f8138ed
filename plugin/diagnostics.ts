/**
 * A user's mistake is data: it is collected, never thrown. Only the edges (plugin, command line) turn a
 * list of diagnostics into a failure.
 */

import path from "node:path";

export { didYouMean } from "./did-you-mean.ts";

export interface Diagnostic {
  severity: "error" | "warning";
  /** Stable, kebab-case. */
  code: string;
  /** Quotes the value and says what is wrong with it. */
  text: string;
  /** Absolute path. */
  file: string;
  /** From 1; absent where the format has no positions. */
  line?: number;
  /** From 1, in UTF-16 units. */
  column?: number;
  /** What to type instead. */
  notes: string[];
}

export function isDiagnostic(result: object): result is Diagnostic {
  return "severity" in result;
}

/** A config that can't be used. Only the edges throw it. The message contains every diagnostic, formatted. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(`\n${formatDiagnostics(diagnostics)}`);
    this.diagnostics = diagnostics;
    // A stack trace says nothing about the user's file.
    this.stack = `${this.name}: ${this.message}`;
  }
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(isError);
}

function isError(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === "error";
}

/** Returns `file:line:column` with the file relative to `from`. Terminals make this form clickable. */
export function formatLocation(
  at: { file: string; line?: number; column?: number },
  from: string = process.cwd(),
): string {
  const relative = path.relative(from, at.file);
  const file = relative === "" || relative.startsWith("..") ? at.file : relative;
  return [file, at.line, at.column].filter((part) => part !== undefined).join(":");
}

/** Enough diagnostics to fix before the next run. */
const MAX_SHOWN = 50;
/** Length of a quoted value, in characters. */
const MAX_QUOTED = 80;

export interface FormatOptions {
  /** Default: 50. */
  limit?: number;
  /** Default: no colours. */
  paint?: (style: "bold" | "red" | "yellow", text: string) => string;
}

/** Formats diagnostics as compilers do: one block for each, sorted by file and position. */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  from?: string,
  { limit = MAX_SHOWN, paint = (_, text) => text }: FormatOptions = {},
): string {
  const sorted = sortDiagnostics(diagnostics);
  // Errors come first, so that warnings can't fill the limit.
  const bySeverity = [...sorted.filter(isError), ...sorted.filter((diagnostic) => !isError(diagnostic))];
  const shown = new Set(bySeverity.slice(0, limit));
  const blocks = sorted
    .filter((diagnostic) => shown.has(diagnostic))
    .map((diagnostic) => {
      const { severity, text, code, notes } = diagnostic;
      const place = paint("bold", formatLocation(diagnostic, from));
      const kind = paint(severity === "error" ? "red" : "yellow", severity);
      return [`${place}: ${kind}: ${printable(text)} [${code}]`, ...notes.map((note) => `    ${printable(note)}`)].join(
        "\n",
      );
    });
  return [...blocks, ...(sorted.length > limit ? [`… and ${sorted.length - limit} more`] : [])].join("\n");
}

/** Sorts by file and position. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted(
    (a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

/** Cuts long quoted values, and escapes control characters. */
function printable(text: string): string {
  return escapeControls(
    text.replaceAll(/"((?:[^"\\]|\\.)*)"/gs, (quoted, value: string) =>
      value.length > MAX_QUOTED ? `"${Array.from(value).slice(0, MAX_QUOTED).join("")}…"` : quoted,
    ),
  );
}

/** Escapes characters that would move a terminal's cursor or reverse the text. Keeps line ends and tabs. */
export function escapeControls(text: string): string {
  return text.replaceAll(
    /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
