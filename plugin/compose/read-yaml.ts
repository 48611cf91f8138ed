/**
 * The text of a compose file → the parts that routes are made from, with variables replaced. Syntax only. Ignores
 * the other parts, because a variable that only a container needs may be missing here.
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
import { type VariableLookup, interpolate } from "./interpolate.ts";

export interface YamlSource {
  /** Absolute path. */
  file: string;
  lookup: VariableLookup;
  report: ReportCompose;
  budget: Budget;
}

/**
 * The limit for the values of a compose project. Aliases of aliases, and files that include each other repeatedly, can
 * expand beyond any machine's memory.
 */
export interface Budget {
  readonly values: number;
  /** Less than 0 if the project exceeds the limit. */
  valuesLeft: number;
}

/** Selects parts of a mapping: returns the selection for a key's value, or undefined to skip the key. */
type Selection = (key: string) => Selection | undefined;

const all: Selection = () => all;
const only =
  (fields: Record<string, Selection>): Selection =>
  (key) =>
    Object.hasOwn(fields, key) ? fields[key] : undefined;

const network = only({ aliases: all, ipv4_address: all, ipv6_address: all });
const port = only({ target: all, published: all, host_ip: all, protocol: all });
/** Who logs in to which database. No password is read. */
const login = only({
  MARIADB_DATABASE: all,
  MARIADB_USER: all,
  MYSQL_DATABASE: all,
  MYSQL_USER: all,
  POSTGRES_DB: all,
  POSTGRES_USER: all,
});
const service = only({
  container_name: all,
  environment: login,
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
  /** The node that each alias refers to. */
  aliases: ReadonlyMap<Alias, Node>;
  placeAt(node: Node | null): Place;
  /** Nodes that are being converted. */
  open: Set<Node>;
}

/** @returns its documents, each a mapping; undefined if it isn't a compose file or isn't YAML, which is reported */
export function readYaml(text: string, source: YamlSource): ComposeMap[] | undefined {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    // The library compares each key with all the others; `findDuplicateKey` looks each key up once.
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
        // No position, because the depth that fails depends on the machine.
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
    // The document contains only comments.
    if (contents === null || (isScalar(contents) && contents.value === null)) continue;
    const conversion: Conversion = {
      ...source,
      aliases: resolveAliases(document),
      placeAt,
      open: new Set(),
    };
    const root = convert(contents, { key: placeAt(contents), select: project }, conversion);
    if (source.budget.valuesLeft < 0) {
      const text = `with its aliases, the compose project has more than ${source.budget.values} values`;
      source.report({ code: "compose-too-large", text, at: root.at });
      return undefined;
    }
    if (root.type !== "map") {
      source.report({
        code: "invalid-compose",
        text: "this is not a compose file: it is not a mapping",
        at: root.at,
        notes: ['A compose file has "services:" at its top level.'],
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
  // A reported node counts as absent, so that nothing reports it a second time.
  const broken: ComposeNode = { ...nothing, tag: "reset" };
  if (node === null || --conversion.budget.valuesLeft < 0) return nothing;
  if (isAlias(node)) {
    const target = conversion.aliases.get(node);
    if (target === undefined || conversion.open.has(target)) {
      const problem = target === undefined ? "has no anchor before it" : "refers to a value that contains it";
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

/** Resolves all aliases in one pass, because the library searches the whole document for each alias. */
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

/** The pairs of a mapping by key, including those of `<<`. The mapping's own pairs win. */
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
      text: `the variable ${JSON.stringify(name)} is not set, so it is empty, as in Docker Compose`,
      at,
      notes: [`Set it in .env beside the compose file, or give it a default: \${${name}:-…}.`],
    });
  }
  return { value: interpolated.text };
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}
