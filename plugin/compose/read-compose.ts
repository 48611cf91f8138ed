/**
 * Compose files → the services of their project. Combines .env, several files, `include` and `extends` as Docker
 * Compose does. Reads files, and leaves the names and ports of a service to `parseComposeService`.
 */

import path from "node:path";

import {
  type ComposeMap,
  type ComposeNode,
  type Place,
  type ReportCompose,
  childOf,
  quoteNode,
  textOf,
  textsOf,
} from "./compose-node.ts";
import type { VariableLookup } from "./interpolate.ts";
import { mergeEntries, mergeNodes } from "./merge.ts";
import { parseEnvFile } from "./parse-env.ts";
import { type FileBudget, MAX_FILES, readSource } from "./read-source.ts";
import { type Budget, readYaml } from "./read-yaml.ts";

/** The limit that Compose has. */
const MAX_VALUES = 100_000;
/** The longest chain of services that extend each other. */
const MAX_EXTENDS = 100;

export interface ComposeProject {
  services: Map<string, ComposeMap>;
  /** The profiles that COMPOSE_PROFILES names. `*` means all of them. */
  profiles: string[];
}

export interface ComposeSource {
  /** Absolute paths, and where the config names them. Each file overrides the files before it. */
  files: readonly { file: string; at: Place }[];
  /** Variables of the process: they win over .env. */
  environment: VariableLookup;
  report: ReportCompose;
  /** Called with each file that is read or looked for. */
  onFile: (file: string) => void;
}

interface Reading extends Omit<ComposeSource, "environment" | "files"> {
  budget: Budget & FileBudget;
  lookup: VariableLookup;
  /** The services of files that `extends` names, by absolute path. Read with `lookup`. */
  extended: Map<string, Map<string, ComposeMap> | undefined>;
  /** The base folder for relative paths in the files. */
  folder: string;
  /** Files that include this one. */
  including: readonly string[];
}

export function readCompose({ files, environment, report, onFile }: ComposeSource): ComposeProject {
  const folder = path.dirname(files[0]?.file ?? "");
  const budget = { values: MAX_VALUES, valuesLeft: MAX_VALUES, filesLeft: MAX_FILES };
  const lookup = lookupWith([path.join(folder, ".env")], { outer: environment, report, onFile, budget });
  const reading: Reading = { budget, lookup, extended: new Map(), folder, report, onFile, including: [] };
  const services = readServices(files, reading);
  const profiles = (lookup("COMPOSE_PROFILES") ?? "").split(",").map((profile) => profile.trim());
  return { services, profiles: profiles.filter((profile) => profile !== "") };
}

/** The last of several .env files wins. A missing file is ignored. */
function lookupWith(
  envFiles: readonly string[],
  { outer, report, onFile, budget }: { outer: VariableLookup } & Pick<Reading, "report" | "onFile" | "budget">,
): VariableLookup {
  const values = new Map<string, string>();
  for (const file of envFiles) {
    onFile(file);
    const source = readSource(file, budget);
    if (typeof source !== "string") {
      if (source.reason !== "not-utf-8") continue;
      const text = `the file can't be read: ${source.problem}`;
      report({ severity: "warning", code: "invalid-env-file", text, at: { file }, notes: source.notes });
      continue;
    }
    const env = parseEnvFile(source, (name) => outer(name) ?? values.get(name));
    for (const { line, ...problem } of env.problems) {
      // A warning, because only the values that use the variable are affected.
      report({ severity: "warning", code: "invalid-env-file", at: { file, line, column: 1 }, ...problem });
    }
    for (const [name, value] of env.values) values.set(name, value);
  }
  return (name) => outer(name) ?? values.get(name);
}

function readServices(files: readonly { file: string; at: Place }[], reading: Reading): Map<string, ComposeMap> {
  let services = new Map<string, ComposeNode>();
  for (const { file, at } of files) {
    for (const document of readDocuments({ file, at }, reading)) {
      const own = servicesOf(document, reading);
      const extended = new Map<string, ComposeNode>();
      for (const [name, service] of own) {
        extended.set(name, extend({ name, service, file, services: own, trail: [] }, reading));
      }
      const included = readIncluded(document, file, reading);
      services = mergeEntries(services, mergeEntries<ComposeNode>(included, extended));
    }
  }
  return new Map(
    [...services].flatMap(([name, service]) =>
      service.type === "map" && service.tag !== "reset" ? [[name, service]] : [],
    ),
  );
}

function readDocuments({ file, at }: { file: string; at: Place }, reading: Reading): ComposeMap[] {
  reading.onFile(file);
  const source = readSource(file, reading.budget);
  if (typeof source === "string") return readYaml(source, { ...reading, file }) ?? [];
  const isMissing = source.reason === "missing";
  reading.report({
    code: isMissing ? "compose-not-found" : "compose-unreadable",
    text: isMissing
      ? `the compose file ${JSON.stringify(path.basename(file))} does not exist`
      : `the compose file ${JSON.stringify(path.basename(file))} can't be read: ${source.problem}`,
    at,
    notes: [...source.notes, `Its full path is ${file}.`],
  });
  return [];
}

function servicesOf(document: ComposeMap, { report }: Reading): Map<string, ComposeMap> {
  const services = childOf(document, "services");
  if (services === undefined) return new Map();
  if (services.type !== "map") {
    report({
      code: "invalid-compose",
      text: `"services" is ${quoteNode(services)}, but must be a mapping`,
      at: services.at,
      notes: ["Write each service under its name."],
    });
    return new Map();
  }
  const maps = new Map<string, ComposeMap>();
  for (const [name, service] of services.entries) {
    // `!reset` removes the service of an earlier file, whatever its own value is.
    if (service.type === "map" || service.tag === "reset") {
      maps.set(
        name,
        service.type === "map" ? withNetworkMap(service) : { ...service, type: "map", entries: new Map() },
      );
      continue;
    }
    if (service.type === "scalar" && service.value === null) continue;
    report({
      code: "invalid-compose",
      text: `the service ${JSON.stringify(name)} is ${quoteNode(service)}, but must be a mapping`,
      at: service.at,
    });
  }
  return maps;
}

/** Turns a list of networks into the equivalent mapping, so that files merge. */
function withNetworkMap(service: ComposeMap): ComposeMap {
  const networks = service.entries.get("networks");
  if (networks?.type !== "list") return service;
  const named = networks.items.flatMap((item): [string, ComposeNode][] =>
    item.type === "scalar" ? [[String(item.value), { ...item, value: null }]] : [],
  );
  const map: ComposeMap = { ...networks, type: "map", entries: new Map(named) };
  return { ...service, entries: new Map([...service.entries, ["networks", map]]) };
}

interface Extending {
  name: string;
  service: ComposeMap;
  file: string;
  /** The services of the same file. */
  services: ReadonlyMap<string, ComposeMap>;
  /** The chain of services that led here, as `file\nservice`. */
  trail: readonly string[];
}

function extend({ name, service, file, services, trail }: Extending, reading: Reading): ComposeNode {
  const extending = childOf(service, "extends");
  if (extending === undefined) return service;
  const base = extending.type === "map" ? textOf(extending, "service") : textsOf(extending)[0];
  const from = extending.type === "map" ? textOf(extending, "file") : undefined;
  const { at } = extending;
  const { budget } = reading;
  const fail = (text: string, notes: string[] = []): ComposeNode => {
    reading.report({ code: "compose-extends", text: `the service ${JSON.stringify(name)} ${text}`, at, notes });
    return service;
  };
  if (base === undefined) return fail('has an "extends" without a service', ["Write extends: { service: NAME }."]);
  const baseFile = from === undefined ? file : path.resolve(reading.folder, from.text);
  const step = `${baseFile}\n${base.text}`;
  if (trail.includes(step)) return fail("extends itself through other services", ['Remove one "extends" of the loop.']);

  if (trail.length >= MAX_EXTENDS)
    return fail(`extends another service, but a chain of "extends" can have only ${MAX_EXTENDS} steps`);

  const inner = from === undefined ? reading : { ...reading, folder: path.dirname(baseFile) };
  const there = from === undefined ? services : servicesIn({ file: baseFile, at: from.at }, inner);
  if (there === undefined) return service;
  const found = there.get(base.text);
  if (found === undefined) {
    const place = from === undefined ? "in this file" : `in ${JSON.stringify(from.text)}`;
    return fail(`extends ${JSON.stringify(base.text)}, but there is no such service ${place}`);
  }
  const extended = extend(
    { name: base.text, service: found, file: baseFile, services: there, trail: [...trail, step] },
    inner,
  );
  const merged = mergeNodes(extended, service);
  budget.valuesLeft -= sizeOf(merged);
  return budget.valuesLeft < 0 ? fail(`takes the project over ${budget.values} values with what it extends`) : merged;
}

/** The rough number of values in a merged service. */
function sizeOf(node: ComposeNode): number {
  if (node.type !== "map") return 1;
  const parts = [...node.entries.values()].map((part) =>
    part.type === "list" ? part.items.length : part.type === "map" ? part.entries.size : 1,
  );
  return parts.reduce((sum, size) => sum + size, 1);
}

/** @returns undefined if the file can't be read, which is reported */
function servicesIn(place: { file: string; at: Place }, reading: Reading): Map<string, ComposeMap> | undefined {
  const known = reading.extended;
  if (known.has(place.file)) return known.get(place.file);
  const documents = readDocuments(place, reading);
  if (documents.length === 0) {
    known.set(place.file, undefined);
    return undefined;
  }
  const services = new Map<string, ComposeMap>();
  for (const document of documents)
    for (const [name, service] of servicesOf(document, reading)) services.set(name, service);
  known.set(place.file, services);
  return services;
}

function readIncluded(document: ComposeMap, file: string, reading: Reading): Map<string, ComposeMap> {
  const include = childOf(document, "include");
  const services = new Map<string, ComposeMap>();
  if (include === undefined) return services;
  for (const entry of include.type === "list" ? include.items : [include]) {
    const paths = entry.type === "map" ? textsOf(childOf(entry, "path")) : textsOf(entry);
    const [first] = paths;
    if (first === undefined) continue;
    const remote = paths.find(({ text }) => /^(?:\w+:\/\/|git@|oci:)/.test(text));
    if (remote !== undefined) {
      reading.report({
        severity: "warning",
        code: "compose-remote-include",
        text: `${JSON.stringify(remote.text)} is not on this machine, so its services have no routes`,
        at: remote.at,
        notes: ['Add the routes that you need to "routes" of the network.'],
      });
      continue;
    }
    const main = path.resolve(reading.folder, first.text);
    if ([...reading.including, file].includes(main)) {
      reading.report({ code: "compose-include", text: `${JSON.stringify(first.text)} includes itself`, at: first.at });
      continue;
    }
    const given = entry.type === "map" ? entry : undefined;
    const directory = given === undefined ? undefined : textOf(given, "project_directory");
    const folder = directory === undefined ? path.dirname(main) : path.resolve(reading.folder, directory.text);
    const envFiles = textsOf(given === undefined ? undefined : childOf(given, "env_file"));
    const lookup = lookupWith(
      envFiles.length === 0
        ? [path.join(folder, ".env")]
        : envFiles.map(({ text }) => path.resolve(reading.folder, text)),
      { ...reading, outer: reading.lookup },
    );
    const inner: Reading = { ...reading, lookup, extended: new Map(), folder, including: [...reading.including, file] };
    const files = paths.map(({ text, at }) => ({ file: path.resolve(reading.folder, text), at }));
    for (const [name, service] of readServices(files, inner)) services.set(name, service);
  }
  return services;
}
