/** Parses a recording as a target: `"har:FILE"`, or an object with `har` and its settings. */

import path from "node:path";

import type { HarModel, ModelTarget } from "../model.ts";
import { type Parsing, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { checkFields } from "./check-fields.ts";
import { harFields } from "./config-schema.ts";
import { isFileName } from "./file-name.ts";

interface WrittenHar {
  /** The object as written, or one with only the file of the text form. */
  value: Record<string, unknown>;
  at: Path;
  parseTarget: (value: unknown, at: Path, parsing: Parsing) => ModelTarget | undefined;
}

/** What makes no sense without a target. */
const NEEDS_TARGET = [
  ["notFound", "fallback", "no-fallback", 'Add "target": "localhost:3000", or write "abort".'],
  ["update", true, "nothing-to-record", 'Add "target": "localhost:3000", or remove "update".'],
] as const;

export function parseHar({ value, at, parseTarget }: WrittenHar, parsing: Parsing): ModelTarget | undefined {
  const { document, namedFiles } = parsing;
  const {
    har,
    target: behind,
    match,
    ...settings
  } = checkFields({ fields: harFields, what: "a recording", value, at }, parsing);
  const target = behind === undefined ? undefined : parseTarget(behind, [...at, "target"], parsing);
  if (har === undefined || !isServing(target, parsing)) return undefined;
  const needing = NEEDS_TARGET.find(([field, value]) => settings[field] === value);
  if (needing !== undefined && behind === undefined) {
    const [field, needed, code, note] = needing;
    parsing.report({
      code,
      text: `${quote(field)} is ${JSON.stringify(needed)}, but there is no "target" to ${field === "update" ? "record" : "ask"}`,
      at: [...at, field],
      notes: [note],
    });
    return undefined;
  }
  if (!isFileName({ name: har, at, what: "the recording", example: "./users.har" }, parsing)) return undefined;
  const file = path.resolve(document.folder, har);
  namedFiles.add(file);
  const standIn: HarModel = { type: "har", file, ...settings, ...(match && { match }), ...(target && { target }) };
  return { type: "stand-in", standIn, text: `har:${har}`, at };
}

function isServing(target: ModelTarget | undefined, { report }: Parsing): boolean {
  if (target?.type !== "stand-in" && target?.type !== "deny") return true;
  report({
    code: "wrong-target",
    text: `the target of a recording is ${target.type === "deny" ? '"deny"' : quote(target.text)}, which can't be recorded`,
    at: target.at,
    notes: ['Write where the service is, such as "localhost:3000".'],
  });
  return false;
}
