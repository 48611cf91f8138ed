/**
 * Terraform files → records, from literals and from the variables and locals of the same files. Doesn't run Terraform:
 * reports each value that only Terraform can evaluate, with its place.
 */

import type { Diagnostic } from "../diagnostics.ts";
import type { VpcDocument } from "../read/document.ts";
import { type LocatedNode, locateInTree } from "../read/locate.ts";
import { type HclBlock, type HclBody, HclError, type HclValue, parseHcl, unquote } from "./hcl.ts";
import { type ImportResult, isKnownField, notImported, RECORD_FIELDS, toRecord } from "./record.ts";
import { RESOURCE_TYPE } from "./terraform-json.ts";

export interface HclFile {
  /** Absolute path. */
  file: string;
  folder: string;
  text: string;
}

interface ParsedFile extends Omit<HclFile, "text"> {
  body: HclBody;
}

export function readHcl(files: readonly HclFile[]): ImportResult {
  const diagnostics: Diagnostic[] = [];
  const parsed = files.flatMap(({ file, folder, text }): ParsedFile[] => {
    try {
      return [{ file, folder, body: parseHcl(text) }];
    } catch (error) {
      if (!(error instanceof HclError)) throw error;
      diagnostics.push({
        severity: "error",
        code: "hcl-syntax",
        text: `not HCL: ${error.message}`,
        file,
        ...error.at,
        notes: [],
      });
      return [];
    }
  });
  const known = knownValues(parsed);
  const records = parsed.flatMap((file) =>
    file.body.blocks
      .filter(({ type, labels }) => (type === "resource" || type === "data") && RESOURCE_TYPE.test(labels[0] ?? ""))
      .flatMap((block) => readResource(block, { ...file, known, diagnostics }) ?? []),
  );
  return { records, diagnostics };
}

/** Terraform's own arguments, which every resource may have. */
const META_ARGUMENTS = new Set(
  "connection count depends_on for_each lifecycle provider provisioner timeouts".split(" "),
);

/** Values by reference, such as `var.x` or `local.x`. */
type Known = ReadonlyMap<string, HclValue>;

function knownValues(files: readonly ParsedFile[]): Known {
  const known = new Map<string, HclValue>();
  for (const { body } of files) {
    for (const { type, labels, body: inner } of body.blocks) {
      const fallback = inner.attributes.get("default");
      if (type === "variable" && fallback !== undefined) known.set(`var.${labels[0]}`, fallback);
      if (type === "locals") for (const [name, value] of inner.attributes) known.set(`local.${name}`, value);
    }
  }
  // The values of .tfvars files win over defaults.
  for (const { file, body } of files) {
    if (file.endsWith(".tfvars")) for (const [name, value] of body.attributes) known.set(`var.${name}`, value);
  }
  return known;
}

interface Reading extends Omit<ParsedFile, "body"> {
  known: Known;
  diagnostics: Diagnostic[];
}

function readResource(block: HclBlock, reading: Reading): ImportResult["records"][number] | undefined {
  const { file, folder, known, diagnostics } = reading;
  const [, resource = ""] = block.labels;
  let isUnresolved = false;
  const report = (path: string, { text, at }: { text: string; at: HclValue["at"] }): void => {
    isUnresolved = true;
    diagnostics.push({
      severity: "error",
      code: "not-a-literal",
      text: `${JSON.stringify(path)} of ${JSON.stringify(resource)} is ${text}, which only Terraform can evaluate`,
      file,
      ...at,
      notes: [
        /^(var|local)\.\w+$/.test(text)
          ? 'Also import the file that sets it, such as variables.tf or terraform.tfvars, or import the output of "terraform show -json".'
          : 'Import the output of "terraform show -json" instead of this file.',
      ],
    });
  };
  const converted = new Map<string, Converted>();
  for (const [name, value] of bodyEntries(block.body)) {
    if (RECORD_FIELDS.includes(name) || name === "service_id")
      converted.set(name, convert(value, { path: name, known, report }));
    else if (!isKnownField(name) && !META_ARGUMENTS.has(name))
      diagnostics.push(notImported(`${JSON.stringify(name)} of ${JSON.stringify(resource)}`, { file, ...value.at }));
  }
  if (isUnresolved) return undefined;
  const { value, located } = toTable(block.at, converted);
  const document: VpcDocument = { file, folder, value, locate: locateInTree(located, (position) => position) };
  return toRecord({ value, at: [], document, aliases: [resource] }, diagnostics);
}

/** Attributes, and nested blocks as objects, because Terraform files use both forms. */
function bodyEntries({ attributes, blocks }: HclBody): Map<string, HclValue> {
  const nested = blocks.map(({ type, body, at }): [string, HclValue] => [
    type,
    { type: "object", entries: bodyEntries(body), at },
  ]);
  return new Map([...attributes, ...nested]);
}

interface Converted {
  value: unknown;
  located: LocatedNode;
}

interface Conversion {
  path: string;
  known: Known;
  report: (path: string, expression: { text: string; at: HclValue["at"] }) => void;
}

function convert(source: HclValue, conversion: Conversion): Converted {
  const { path, known, report } = conversion;
  const { at } = source;
  const leaf = (value: unknown): Converted => ({ value, located: { key: at, value: at, children: new Map() } });
  switch (source.type) {
    case "literal":
      return leaf(source.value);
    case "expression": {
      const value = resolve(source, known);
      if (value.type !== "expression") return { ...convert(value, conversion), located: leaf(undefined).located };
      report(path, source);
      return leaf(undefined);
    }
    case "list": {
      const items = source.items.map((item, index) => convert(item, { ...conversion, path: `${path}[${index}]` }));
      const children = new Map(items.map(({ located }, index) => [String(index), located]));
      return { value: items.map(({ value }) => value), located: { key: at, value: at, children } };
    }
    case "object":
      return toTable(
        at,
        new Map(
          [...source.entries].map(([key, value]) => [key, convert(value, { ...conversion, path: `${path}.${key}` })]),
        ),
      );
    default:
      return source satisfies never;
  }
}

function toTable(
  at: HclValue["at"],
  entries: ReadonlyMap<string, Converted>,
): { value: Record<string, unknown>; located: LocatedNode } {
  const value: Record<string, unknown> = {};
  const children = new Map<string, LocatedNode>();
  for (const [key, entry] of entries) {
    value[key] = entry.value;
    children.set(key, entry.located);
  }
  return { value, located: { key: at, value: at, children } };
}

/** The value of a variable, a local, or a member of one such as `local.ports.http`. */
function valueOf(reference: string, known: Known): HclValue | undefined {
  const own = known.get(reference);
  const dot = reference.lastIndexOf(".");
  if (own !== undefined || dot === -1) return own;
  const holder = valueOf(reference.slice(0, dot), known);
  return holder?.type === "object" ? holder.entries.get(reference.slice(dot + 1)) : undefined;
}

/** Resolves variables and locals, also inside a string. @returns an expression if it can't be resolved */
function resolve(source: HclValue, known: Known, seen: readonly string[] = []): HclValue {
  if (source.type !== "expression") return source;
  const whole = /^"\$\{\s*([\w.-]+)\s*\}"$/.exec(source.text)?.[1] ?? source.text;
  const named = valueOf(whole, known);
  if (named !== undefined && !seen.includes(whole)) return resolve(named, known, [...seen, whole]);
  if (!source.text.startsWith('"')) return source;
  const text = unquote(source.text).replaceAll(/\$\{\s*([\w.-]+)\s*\}/g, (reference, name: string) => {
    const value = seen.includes(name) ? undefined : valueOf(name, known);
    const resolved = value === undefined ? undefined : resolve(value, known, [...seen, name]);
    return resolved?.type === "literal" ? String(resolved.value) : reference;
  });
  return text.includes("${") || text.includes("%{") ? source : { type: "literal", value: text, at: source.at };
}
