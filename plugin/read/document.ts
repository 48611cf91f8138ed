/**
 * A vpc config that was read but not yet understood: plain values and where each stands; and how a
 * finding about it becomes a Diagnostic.
 */

import { type Diagnostic, formatLocation } from "../diagnostics.ts";
import { type Locate, type Path, formatPath } from "./locate.ts";

export interface VpcDocument {
  /** Absolute path, or a name in angle brackets for a config that is no file. */
  file: string;
  /** Absolute; what relative paths in the config start from. */
  folder: string;
  value: unknown;
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

/** What the parsers of a config's sections need: the document, and somewhere to put findings. */
export interface Parsing {
  document: VpcDocument;
  report: Report;
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
      text: hidePasswords(position === undefined && at.length > 0 ? `${formatPath(at)}: ${text}` : text),
      file: document.file,
      ...position,
      notes: notes.map(hidePasswords),
    });
  };
}

/** Of URLs, which are quoted where they don't belong: what is printed ends up in the logs of CI. */
function hidePasswords(text: string): string {
  return text.replaceAll(/(:\/\/[^\s/"@:]*):[^\s/"@]+@/g, "$1:…@");
}

/** `file:line:column`, or the key path where there are no lines. */
export function originOf(document: VpcDocument, at: Path): string {
  const position = document.locate(at, "key");
  const location = formatLocation({ file: document.file, ...position });
  return position === undefined ? `${location} ${formatPath(at)}` : location;
}

/** `line 4`, or the key path where there are no lines: for pointing at a second place in the same config. */
export function placeOf(document: Pick<VpcDocument, "locate">, at: Path): string {
  const position = document.locate(at, "key");
  return position === undefined ? formatPath(at) : `line ${position.line}`;
}

/** A value as found, for messages. */
export function quote(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return "an array";
      return isTable(value) ? "an object" : `an instance of ${classOf(value)}`;
    case "function":
      return "a function";
    default:
      return String(value);
  }
}

/** Plain objects, of this realm or another: what holds its values elsewhere, as a Map or a Promise does, is none. */
export function isTable(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function classOf(value: object): string {
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "a class";
}
