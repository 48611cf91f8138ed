/**
 * Reads wrangler configs (TOML, JSON, JSONC) as wrangler does, and takes the VPC bindings out of them. It never judges the rest of the config: that is wrangler's business.
 */

import { readFileSync } from "node:fs";
import path from "node:path";

import { parse, printParseErrorCode, type ParseError as JsonParseError } from "jsonc-parser";
import {
  type AST,
  getStaticTOMLValue,
  ParseError as TomlParseError,
  parseTOML,
  traverseNodes,
} from "toml-eslint-parser";

import type { Diagnostic } from "../diagnostics.ts";

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export interface WranglerConfig {
  /** Absolute path. */
  file: string;
  raw: JsonObject;
}

export interface VpcBinding {
  bindingName: string;
  bindingType: "vpc-service" | "vpc-network";
  /** The service_id, tunnel_id or network_id. */
  id: string;
}

/** The keys of a wrangler config that hold VPC bindings. */
export const VPC_KEYS = ["vpc_services", "vpc_networks"] as const;
export type VpcKey = (typeof VPC_KEYS)[number];

/** @param file absolute path */
export function readWranglerConfig(file: string): WranglerConfig | Diagnostic {
  let source: string;
  try {
    source = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return unreadable(file, {
      text: `this wrangler config can't be read: ${reason}`,
      notes: ["Check the path after -c (--config), or start in the folder that holds the config."],
    });
  }
  return path.extname(file) === ".toml" ? readToml(file, source) : readJson(file, source);
}

export function isDiagnostic(result: WranglerConfig | Diagnostic): result is Diagnostic {
  return "severity" in result;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The part of the config that holds the bindings: `env.NAME`, or the top level. */
export function activeSection(raw: JsonObject, env: string | undefined): JsonObject {
  const section = isObject(raw["env"]) && env !== undefined ? raw["env"][env] : undefined;
  return isObject(section) ? section : raw;
}

/** @returns the Worker's name under `--env`, as wrangler builds it; undefined when the config names none */
export function workerNameOf(raw: JsonObject, env: string | undefined): string | undefined {
  const section = activeSection(raw, env);
  if (section !== raw && typeof section["name"] === "string") return section["name"];
  if (typeof raw["name"] !== "string") return undefined;
  return env === undefined ? raw["name"] : `${raw["name"]}-${env}`;
}

/** The well-formed VPC bindings of a section; wrangler itself complains about the others. */
export function vpcBindings(section: JsonObject): VpcBinding[] {
  return VPC_KEYS.flatMap((key) => {
    const entries = section[key];
    return Array.isArray(entries) ? entries.flatMap((entry) => vpcBinding(key, entry) ?? []) : [];
  });
}

/** @returns undefined when wrangler would refuse the entry */
export function vpcBinding(key: VpcKey, entry: Json): VpcBinding | undefined {
  if (!isObject(entry) || typeof entry["binding"] !== "string") return undefined;
  if (entry["remote"] !== undefined && entry["remote"] !== true) return undefined;
  const ids = (key === "vpc_services" ? ["service_id"] : ["tunnel_id", "network_id"])
    .map((name) => entry[name])
    .filter((id) => id !== undefined);
  const id = ids[0];
  if (ids.length !== 1 || typeof id !== "string") return undefined;
  return {
    bindingName: entry["binding"],
    bindingType: key === "vpc_services" ? "vpc-service" : "vpc-network",
    id,
  };
}

function readJson(file: string, source: string): WranglerConfig | Diagnostic {
  const errors: JsonParseError[] = [];
  const value: Json | undefined = parse(source, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    return unreadable(file, {
      text: `this wrangler config is not valid JSON: ${printParseErrorCode(error.error)}`,
      ...positionOf(source, error.offset),
    });
  }
  return isObject(value) ? { file, raw: value } : unreadable(file, { text: "this wrangler config is not an object" });
}

function readToml(file: string, source: string): WranglerConfig | Diagnostic {
  try {
    return { file, raw: plainTable(parseTOML(source)) };
  } catch (error) {
    if (!(error instanceof TomlParseError)) throw error;
    return unreadable(file, {
      text: `this wrangler config is not valid TOML: ${error.message}`,
      line: error.lineNumber,
      column: error.column + 1,
    });
  }
}

type TomlValue = AST.TOMLValue["value"] | TomlValue[] | TomlTable;
interface TomlTable {
  [key: string]: TomlValue;
}

/** JSON has no dates: they become the text that stands in the file. */
function plainTable(program: AST.TOMLProgram): JsonObject {
  const dates = new Map<Date, string>();
  traverseNodes(program, {
    enterNode(node) {
      if (node.type === "TOMLValue" && "datetime" in node) dates.set(node.value, node.datetime);
    },
    leaveNode() {},
  });
  const plain = (value: TomlValue): Json => {
    if (value instanceof Date) return dates.get(value) ?? value.toISOString();
    if (Array.isArray(value)) return value.map(plain);
    return typeof value === "object" ? plainObject(value) : value;
  };
  const plainObject = (table: TomlTable): JsonObject =>
    Object.fromEntries(Object.entries(table).map(([key, value]) => [key, plain(value)]));
  return plainObject(getStaticTOMLValue(program));
}

function unreadable(file: string, problem: Pick<Diagnostic, "text"> & Partial<Diagnostic>): Diagnostic {
  return { severity: "error", code: "wrangler-config-unreadable", file, notes: [], ...problem };
}

function positionOf(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
