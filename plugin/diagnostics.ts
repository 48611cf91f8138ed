/**
 * A user's mistake is data: collected, never thrown. Only the edges (plugin, command line) turn a
 * list of these into a failure.
 */

import path from "node:path";

export interface Diagnostic {
  severity: "error" | "warning";
  /** Stable, kebab-case. */
  code: string;
  /** Quotes what was found and says what is wrong with it. */
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

/** Thrown by the edges only: a config that can't be used. The message is every diagnostic, formatted. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(`\n${formatDiagnostics(diagnostics)}`);
    this.diagnostics = diagnostics;
    // A stack says nothing about the user's file.
    this.stack = `${this.name}: ${this.message}`;
  }
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(isError);
}

function isError(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === "error";
}

/** `file:line:column` with the file relative to `from`; the form terminals make clickable. */
export function formatLocation(
  at: { file: string; line?: number; column?: number },
  from: string = process.cwd(),
): string {
  const relative = path.relative(from, at.file);
  const file = relative === "" || relative.startsWith("..") ? at.file : relative;
  return [file, at.line, at.column].filter((part) => part !== undefined).join(":");
}

/** How many diagnostics are printed; who has more mends these first. */
const MAX_SHOWN = 50;
/** Of a quoted value, in characters. */
const MAX_QUOTED = 80;

export interface FormatOptions {
  /** Default: 50. */
  limit?: number;
  /** Default: no colours. */
  paint?: (style: "bold" | "red" | "yellow", text: string) => string;
}

/** The form compilers use, one block a diagnostic, sorted by file and position. */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  from?: string,
  { limit = MAX_SHOWN, paint = (_, text) => text }: FormatOptions = {},
): string {
  const sorted = sortDiagnostics(diagnostics);
  // No warning may crowd out an error.
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

/** By file and position. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted(
    (a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

/** With long quoted values cut, and control characters escaped. */
function printable(text: string): string {
  return escapeControls(
    text.replaceAll(/"((?:[^"\\]|\\.)*)"/gs, (quoted, value: string) =>
      value.length > MAX_QUOTED ? `"${Array.from(value).slice(0, MAX_QUOTED).join("")}…"` : quoted,
    ),
  );
}

/** With what would move a terminal's cursor or turn the text around escaped; line ends and tabs are kept. */
export function escapeControls(text: string): string {
  return text.replaceAll(
    /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The candidate closest to `word`, if it is close enough to be a slip of the finger. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(Math.max(word.length, 3) / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(word.length - candidate.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment: two neighbours swapped are one slip. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (beforePrevious[j - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution, swap));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
