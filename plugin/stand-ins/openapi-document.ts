/** Reads an OpenAPI document, as far as it is understood here: its syntax, its version, its operations and its servers. */

import path from "node:path";

import { LineCounter, parseDocument } from "yaml";

import { readJsonc } from "../read/read-jsonc.ts";
import { isPlainObject, quote } from "../read/quote.ts";
import { pathDistance } from "../scenario/nearest-call.ts";
import { messageOf } from "../system/error.ts";

export type ReadOpenapi = { type: "document"; value: Record<string, unknown> } | DocumentMistake;

/** What is wrong with the text of a document. */
export interface DocumentMistake {
  type: "mistake";
  problem: string;
  /** What to type instead. */
  note?: string;
  line?: number;
  column?: number;
}

export function isJsonFile(file: string): boolean {
  return path.extname(file).toLowerCase() === ".json";
}

/** @param file its extension says whether it is JSON */
export function readOpenapi(text: string, file: string): ReadOpenapi {
  const parsed = isJsonFile(file) ? parseJson(text, file) : parseYaml(text);
  if ("problem" in parsed) return parsed;
  const { value } = parsed;
  if (!isPlainObject(value)) return { problem: `is ${quote(value)}, but must be an object`, ...BEGINNING };
  const version = value["openapi"] ?? value["swagger"];
  if (version === undefined) return { problem: 'has no "openapi", so it is not an OpenAPI document', ...BEGINNING };
  if (!KNOWN_VERSION.test(typeof version === "number" ? version.toFixed(1) : quote(version)))
    return { problem: `has the version ${quote(version)}, which is not known`, ...BEGINNING };
  return { type: "document", value };
}

/** An unquoted version of YAML is a number. */
const KNOWN_VERSION = /^"?(3\.\d|2\.0)/;

const BEGINNING = {
  type: "mistake",
  note: 'Write "openapi": "3.1.0", "info", and "paths".',
  line: 1,
  column: 1,
} as const;

function parseJson(text: string, file: string): { value: unknown } | DocumentMistake {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    // Its own error has a place only sometimes.
    const [found] = readJsonc(text, { file, folder: path.dirname(file) }).diagnostics;
    if (found?.line === undefined || found.column === undefined)
      return { type: "mistake", problem: `is not JSON: ${messageOf(error)}` };
    const { line, column } = found;
    return { type: "mistake", problem: `is not JSON: ${found.text}`, line, column };
  }
}

function parseYaml(text: string): { value: unknown } | DocumentMistake {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const [error] = document.errors;
    if (error === undefined) return { value: document.toJS() };
    const { line, col } = lines.linePos(error.pos[0]);
    if (error.code === "RESOURCE_EXHAUSTION")
      return { type: "mistake", problem: "is nested too deeply to be read", line, column: col };
    return { type: "mistake", problem: `is not YAML: ${error.message}`, line, column: col };
  } catch (error) {
    return { type: "mistake", problem: `is not YAML: ${messageOf(error)}` };
  }
}

export interface Operation {
  /** Upper case. */
  method: string;
  /** As the document writes it: `/users/{id}`. */
  path: string;
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

export function operationsOf({ paths }: Record<string, unknown>): Operation[] {
  return Object.entries(isPlainObject(paths) ? paths : {}).flatMap(([template, item]) =>
    Object.keys(isPlainObject(item) ? item : {})
      .filter((key) => METHODS.includes(key))
      .map((key) => ({ method: key.toUpperCase(), path: template })),
  );
}

/** The paths of the servers, before those of the operations: `/v1`. The longest first; the last one is empty. */
export function basePathsOf(document: Record<string, unknown>): string[] {
  const items = Object.values(isPlainObject(document["paths"]) ? document["paths"] : {}).filter(isPlainObject);
  const operations = items.flatMap((item) => METHODS.map((method) => item[method]).filter(isPlainObject));
  const found = [document, ...items, ...operations].flatMap(({ servers }) => (Array.isArray(servers) ? servers : []));
  const paths = found.flatMap((server: unknown) => (isPlainObject(server) ? pathOfServer(server) : []));
  const { basePath } = document;
  if (typeof basePath === "string") paths.push(basePath.replace(/\/+$/, ""));
  return [...new Set([...paths, ""])].toSorted((a, b) => b.length - a.length);
}

function pathOfServer({ url, variables }: Record<string, unknown>): string[] {
  if (typeof url !== "string") return [];
  const filled = url.replaceAll(/\{([^}]+)\}/g, (whole, name: string) => {
    const variable = isPlainObject(variables) ? variables[name] : undefined;
    return isPlainObject(variable) ? String(variable["default"]) : whole;
  });
  const parsed = URL.canParse(filled, "http://server/") ? new URL(filled, "http://server/") : undefined;
  return parsed === undefined ? [] : [parsed.pathname.replace(/\/+$/, "")];
}

/** @returns what a request for a path may have meant, in words; undefined: the document has no operations */
export function describeNearest(operations: readonly Operation[], asked: Operation): string | undefined {
  const compared = operations.map((operation) => ({ operation, apart: pathDistance(asked.path, operation.path) }));
  const [best] = compared.toSorted((a, b) => a.apart - b.apart);
  if (best === undefined) return undefined;
  const methods = operations.filter((each) => each.path === best.operation.path).map(({ method }) => method);
  return `${methods.join(" and ")} ${best.operation.path}`;
}
