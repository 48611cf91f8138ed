/**
 * The text of a compose file → the parts of it that routes are made from, variables replaced. Syntax only. The
 * rest is left alone: a variable that only a container needs may well be missing here.
 */

import {
  type Alias,
  type Document,
  LineCounter,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
} from "yaml";

import type { ComposeMap, ComposeNode, ComposeScalar, Place, ReportCompose } from "./compose-node.ts";
import { type Lookup, interpolate } from "./interpolate.ts";

export interface YamlSource {
  /** Absolute path. */
  file: string;
  lookup: Lookup;
  report: ReportCompose;
  budget: Budget;
}

/**
 * How much a compose project may hold: aliases of aliases, and files that include each other many times over, can
 * stand for more than any machine does.
 */
export interface Budget {
  readonly values: number;
  /** Less than 0: there are more. */
  valuesLeft: number;
}

/** What to take of a mapping: by its key, what to take of the value; undefined: nothing. */
type Selection = (key: string) => Selection | undefined;

const all: Selection = () => all;
const only =
  (fields: Record<string, Selection>): Selection =>
  (key) =>
    Object.hasOwn(fields, key) ? fields[key] : undefined;

const network = only({ aliases: all, ipv4_address: all, ipv6_address: all });
const port = only({ target: all, published: all, host_ip: all, protocol: all });
const service = only({
  container_name: all,
  expose: all,
  extends: all,
  hostname: all,
  image: all,
  network_mode: all,
  networks: () => network,
  ports: port,
  profiles: all,
});
const project = only({ include: all, services: () => service });

interface Conversion extends YamlSource {
  /** What each stands for. */
  aliases: ReadonlyMap<Alias, Node>;
  placeAt(node: Node | null): Place;
  /** Nodes that are being converted. */
  open: Set<Node>;
}

/** @returns its documents, each a mapping; undefined when it is not YAML, or no compose file; that is reported then */
export function readYaml(text: string, source: YamlSource): ComposeMap[] | undefined {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    // The library's own way compares each key with all the others.
    uniqueKeys: false,
  });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file: source.file, line, column: col };
  };
  const maps: ComposeMap[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) {
      if (error.code === "RESOURCE_EXHAUSTION") {
        // How deep is too deep is up to the machine: any place would be one by chance.
        const text = "it is nested too deeply to be read";
        source.report({ code: "nested-too-deeply", text, at: { file: source.file } });
        return undefined;
      }
      const message = error.message.slice(0, 1).toLowerCase() + error.message.slice(1);
      source.report({ code: "yaml-syntax", text: `not YAML: ${message}`, at: placeOf(error.pos[0]) });
      return undefined;
    }
    const placeAt = (node: Node | null): Place => placeOf(node?.range?.[0] ?? 0);
    const duplicate = findDuplicateKey(document);
    if (duplicate !== undefined) {
      source.report({ code: "yaml-syntax", text: "not YAML: map keys must be unique", at: placeAt(duplicate) });
      return undefined;
    }
    const { contents } = document;
    // A file of nothing but comments.
    if (contents === null || (isScalar(contents) && contents.value === null)) continue;
    const conversion: Conversion = {
      ...source,
      aliases: resolveAliases(document),
      placeAt,
      open: new Set(),
    };
    const root = convert(contents, { key: placeAt(contents), select: project }, conversion);
    if (source.budget.valuesLeft < 0) {
      const text = `with its aliases it has more than ${source.budget.values} values`;
      source.report({ code: "compose-too-large", text, at: root.at });
      return undefined;
    }
    if (root.type !== "map") {
      source.report({
        code: "invalid-compose",
        text: "this is no compose file: it is not a mapping",
        at: root.at,
        notes: ['A compose file has "services:" at its top.'],
      });
      return undefined;
    }
    maps.push(root);
  }
  return maps;
}

function convert(
  node: Node | null,
  { key, select }: { key: Place; select: Selection },
  conversion: Conversion,
): ComposeNode {
  const at = node === null ? key : conversion.placeAt(node);
  const nothing: ComposeNode = { type: "scalar", value: null, at, key };
  // What was reported is as if it were not there: once is enough.
  const broken: ComposeNode = { ...nothing, tag: "reset" };
  if (node === null || --conversion.budget.valuesLeft < 0) return nothing;
  if (isAlias(node)) {
    const target = conversion.aliases.get(node);
    if (target === undefined || conversion.open.has(target)) {
      const problem = target === undefined ? "stands for nothing" : "stands for something that holds it";
      conversion.report({ code: "yaml-syntax", text: `not YAML: the alias "*${node.source}" ${problem}`, at });
      return broken;
    }
    return { ...convert(target, { key, select }, conversion), at, key };
  }
  const base = { at, key, ...tagOf(node) };
  if (isMap(node)) {
    conversion.open.add(node);
    const entries = new Map<string, ComposeNode>();
    for (const [name, pair] of pairsOf(node, conversion)) {
      const selected = select(name);
      if (selected === undefined) continue;
      const place = isNode(pair.key) ? conversion.placeAt(pair.key) : at;
      entries.set(name, convert(isNode(pair.value) ? pair.value : null, { key: place, select: selected }, conversion));
    }
    conversion.open.delete(node);
    return { type: "map", entries, ...base };
  }
  if (isSeq(node)) {
    conversion.open.add(node);
    const items = node.items.flatMap((item) => {
      if (!isNode(item)) return [];
      const converted = convert(item, { key: conversion.placeAt(item), select }, conversion);
      return converted.tag === "reset" ? [] : [converted];
    });
    conversion.open.delete(node);
    return { type: "list", items, ...base };
  }
  return { type: "scalar", ...base, ...scalarOf(isScalar(node) ? node.value : null, at, conversion) };
}

function findDuplicateKey(document: Document): Scalar | undefined {
  let found: Scalar | undefined;
  visit(document, {
    Map(_, map) {
      const known = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (known.has(key.value)) found = key;
        if (found !== undefined) return visit.BREAK;
        known.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}

/** In one go, for the library's own way looks through the document for each. */
function resolveAliases(document: Document): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const aliases = new Map<Alias, Node>();
  visit(document, {
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias(_, node) {
      const target = anchors.get(node.source);
      if (target !== undefined) aliases.set(node, target);
    },
  });
  return aliases;
}

function tagOf(node: Node): Pick<ComposeNode, "tag"> {
  if (node.tag === "!reset") return { tag: "reset" };
  return node.tag === "!override" ? { tag: "override" } : {};
}

/** The pairs of a mapping by key, those of `<<` included; its own come first. */
function pairsOf(map: YAMLMap, conversion: Conversion): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  const merged: unknown[] = [];
  for (const pair of map.items) {
    const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
    if (name !== "<<") pairs.set(name, pair);
    else for (const source of isSeq(pair.value) ? pair.value.items : [pair.value]) merged.push(source);
  }
  for (const source of merged) {
    const target = isAlias(source) ? conversion.aliases.get(source) : source;
    const sources = isSeq(target) ? target.items : [target];
    for (const each of sources) {
      const resolved = isAlias(each) ? conversion.aliases.get(each) : each;
      if (!isMap(resolved) || conversion.open.has(resolved) || --conversion.budget.valuesLeft < 0) continue;
      conversion.open.add(resolved);
      for (const [name, pair] of pairsOf(resolved, conversion)) if (!pairs.has(name)) pairs.set(name, pair);
      conversion.open.delete(resolved);
    }
  }
  return pairs;
}

function scalarOf(value: unknown, at: Place, { lookup, report }: Conversion): Pick<ComposeScalar, "value" | "tag"> {
  if (typeof value === "number" || typeof value === "boolean") return { value };
  if (typeof value !== "string") return { value: null };
  const interpolated = interpolate(value, lookup);
  if ("problem" in interpolated) {
    report({ code: "compose-variable", text: interpolated.problem, at, notes: [interpolated.note] });
    return { value: null, tag: "reset" };
  }
  for (const name of new Set(interpolated.unset)) {
    report({
      severity: "warning",
      code: "compose-variable",
      text: `the variable ${JSON.stringify(name)} is not set, so it is taken for empty, as Docker Compose does`,
      at,
      notes: [`Set it in .env beside the compose file, or give it a default: \${${name}:-…}.`],
    });
  }
  return { value: interpolated.text };
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}
