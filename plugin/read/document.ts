/**
 * A vpc config that is read but not parsed yet: plain values and their places. Also turns a finding about it
 * into a Diagnostic.
 */

import { type Diagnostic, formatLocation } from "../diagnostics.ts";
import { hideSecrets } from "./hide-secrets.ts";
import { type Locate, type Path, appendSegment, formatPath } from "./locate.ts";

export { isPlainObject, quote } from "./quote.ts";

export interface VpcDocument {
  /** Absolute path, or a name in angle brackets for a config that isn't a file. */
  file: string;
  /** Absolute path; the base of relative paths in the config. */
  folder: string;
  value: unknown;
  /** `value` comes from a text, and no program knows it. Tables in it have no prototype. */
  isData?: true;
  locate: Locate;
}

export interface Finding {
  /** Default: error. */
  severity?: "warning";
  code: string;
  text: string;
  at: Path;
  /** Default: value. */
  part?: "key";
  notes?: string[];
}

export type Report = (finding: Finding) => void;

/** What the parsers of a config's sections share. */
export interface Parsing {
  document: VpcDocument;
  report: Report;
  /** Collects the absolute paths of all files that a "ca", a certificate or a stand-in names, including those that don't exist. */
  namedFiles: Set<string>;
}

/** A document for a config that does not exist or could not be read. */
export function emptyDocument(file: string, folder: string): VpcDocument {
  return { file, folder, value: {}, locate: () => undefined };
}

export function reportTo(diagnostics: Diagnostic[], document: VpcDocument): Report {
  return ({ severity, code, text, at, part, notes = [] }) => {
    const position = document.locate(at, part ?? "value");
    diagnostics.push({
      severity: severity ?? "error",
      code,
      text: hideSecrets(position === undefined && at.length > 0 ? `${formatPath(at)}: ${text}` : text),
      file: document.file,
      ...position,
      notes: notes.map(hideSecrets),
    });
  };
}

/** Returns `file:line:column`, or the file and the key path if there are no lines. */
export function originOf(document: VpcDocument, at: Path): string {
  return originsIn(document)(at);
}

/** The same for many places: the file is formatted once, and so is what those in a row have in common. */
export function originsIn(document: VpcDocument): (at: Path) => string {
  const file = formatLocation({ file: document.file });
  let parent: Path = [];
  let start = "";
  return (at) => {
    const position = document.locate(at, "key");
    if (position !== undefined) return `${file}:${position.line}:${position.column}`;
    const last = at.at(-1);
    if (last === undefined) return `${file} `;
    if (parent.length !== at.length - 1 || parent.some((segment, index) => segment !== at[index])) {
      parent = at.slice(0, -1);
      start = formatPath(parent);
    }
    return `${file} ${appendSegment(start, last)}`;
  };
}

/** Names a second place in the same config: `line 4`, or the key path if there are no lines. */
export function placeOf(document: Pick<VpcDocument, "locate">, at: Path): string {
  const position = document.locate(at, "key");
  return position === undefined ? formatPath(at) : `line ${position.line}`;
}
