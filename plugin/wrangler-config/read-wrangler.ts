/**
 * Reads wrangler configs (TOML, JSON, JSONC) as wrangler does, and finds their VPC bindings. Never checks the
 * rest of the config: that is wrangler's business.
 */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { type Problem, isProblem } from "../../service-worker/routing/address.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { messageOf } from "../system/error.ts";
import type { VpcBinding } from "../model.ts";
import { isPlainObject, placeOf, quote } from "../read/document.ts";
import type { Locate, Path } from "../read/locate.ts";
import { readText } from "../read/read-text.ts";
import { ownStringOf } from "./own-string.ts";
import { NEW_CONFIG, readNewConfig } from "./read-new-config.ts";

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export interface WranglerConfig {
  /** Absolute path. */
  file: string;
  raw: JsonObject;
  locate: Locate;
}

/** The keys of a wrangler config that hold bindings to private services. */
export const VPC_KEYS = ["vpc_services", "vpc_networks", "hyperdrive"] as const;

/**
 * @param file absolute path
 * @returns the config, or the first reason why it can't be read
 */
export function readWranglerConfig(file: string, env?: string): WranglerConfig | Diagnostic {
  const { config, diagnostics } = readWrangler(file, env);
  const [first] = diagnostics;
  if (config !== undefined) return config;
  if (first === undefined) throw new Error(`miniflare-vpc: ${file} was not read, and nothing says why`);
  return first;
}

/** The note for a config that isn't read. */
const TAKEN =
  "miniflare-vpc takes the bindings from wrangler.json, wrangler.jsonc, wrangler.toml or cloudflare.config.ts: name one of these.";

export interface WranglerResult {
  /** Undefined if it can't be read; the diagnostics say why. */
  config: WranglerConfig | undefined;
  /** Every syntax error; warnings if the config can be read. */
  diagnostics: Diagnostic[];
}

/**
 * @param file absolute path
 * @param env the environment in use, which a `cloudflare.config.ts` is a function of
 */
export function readWrangler(file: string, env?: string): WranglerResult {
  if (path.basename(file) === NEW_CONFIG && existsSync(file)) {
    const read = readNewConfig(file, env);
    if (!("raw" in read)) return { config: undefined, diagnostics: [unreadable(file, read)] };
    return { config: { file, raw: read.raw as JsonObject, locate: () => undefined }, diagnostics: [] };
  }
  if (/\.[cm]?[jt]s$/.test(file)) {
    const problem = { text: "it is a program", notes: [TAKEN] };
    return { config: undefined, diagnostics: [unreadable(file, problem)] };
  }
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const problem = {
      text: messageOf(error),
      notes: ["Check the path after -c (--config), or start in the folder that holds the config."],
    };
    return { config: undefined, diagnostics: [unreadable(file, problem)] };
  }
  const { document, diagnostics } = readText(bytes, file);
  const { value, locate = () => undefined } = document ?? {};
  if (isPlainObject(value)) {
    return {
      // The readers only make values that JSON has.
      config: { file, raw: value as JsonObject, locate },
      // The only diagnostic of a readable config is a duplicate key, which wrangler accepts.
      diagnostics: diagnostics.map((diagnostic) => ({ ...diagnostic, severity: "warning" })),
    };
  }
  const problems = diagnostics.length > 0 ? diagnostics : [{ text: `it is ${quote(value)}, but must be an object` }];
  return { config: undefined, diagnostics: problems.map((problem) => unreadable(file, problem)) };
}

function unreadable(file: string, problem: Pick<Diagnostic, "text"> & Partial<Diagnostic>): Diagnostic {
  return {
    notes: [],
    ...problem,
    severity: "error",
    code: "wrangler-config-unreadable",
    text: `this wrangler config can't be read: ${problem.text}`,
    file,
  };
}

/** The names under `env`. */
export function environmentsOf(raw: JsonObject): string[] {
  const environments = raw["env"];
  return isPlainObject(environments) ? Object.keys(environments).filter((env) => isPlainObject(environments[env])) : [];
}

/** The section that holds the bindings: `env.NAME`, or the top level. */
export function activeSection(raw: JsonObject, env: string | undefined): JsonObject {
  const section = isPlainObject(raw["env"]) && env !== undefined ? raw["env"][env] : undefined;
  return isPlainObject(section) ? section : raw;
}

/** The path of `activeSection` in the config. */
export function activePath(raw: JsonObject, env: string | undefined): Path {
  return env === undefined || activeSection(raw, env) === raw ? [] : ["env", env];
}

/** @returns the Worker's name under `--env`, as wrangler builds it; undefined if the config has no name */
export function workerNameOf(raw: JsonObject, env: string | undefined): string | undefined {
  const section = activeSection(raw, env);
  if (section !== raw && typeof section["name"] === "string") return section["name"];
  if (typeof raw["name"] !== "string") return undefined;
  return env === undefined ? raw["name"] : `${raw["name"]}-${env}`;
}

export interface VpcEntries {
  bindings: VpcBinding[];
  /** A warning for each entry that isn't a valid binding. */
  diagnostics: Diagnostic[];
}

/** Reads the VPC bindings of the active section. Leaves invalid entries to wrangler. */
export function readVpcEntries({ file, raw, locate }: WranglerConfig, env: string | undefined): VpcEntries {
  const section = activeSection(raw, env);
  const at = activePath(raw, env);
  const bindings: VpcBinding[] = [];
  /** By the binding's name. */
  const places = new Map<string, Path>();
  const diagnostics: Diagnostic[] = [];
  const leave = (place: Path, { problem, note }: EntryProblem): void => {
    diagnostics.push({
      severity: "warning",
      code: "binding-not-served",
      text: `${problem}; it is left to wrangler unchanged`,
      file,
      ...locate(place, "value"),
      notes: [note],
    });
  };
  for (const key of VPC_KEYS) {
    const entries = section[key];
    if (entries === undefined) continue;
    // Pages has Hyperdrive bindings.
    if (isPages(raw) && key !== "hyperdrive") {
      diagnostics.push({
        severity: "warning",
        code: "pages-binding",
        text: `"${key}" is in the config of a Pages project, but Pages has no VPC bindings, and wrangler refuses it`,
        file,
        ...locate([...at, key], "key"),
        notes: ['Make it a Worker with static assets: "main" and "assets" in place of "pages_build_output_dir".'],
      });
    }
    if (!Array.isArray(entries)) {
      leave([...at, key], { problem: `"${key}" is ${quote(entries)}, but must be an array`, note: FORMS[key] });
      continue;
    }
    for (const [index, entry] of entries.entries()) {
      const place = [...at, key, index];
      const binding = parseVpcEntry(key, entry, env);
      if (isProblem(binding)) {
        leave(place, binding);
        continue;
      }
      const first = places.get(binding.bindingName);
      if (first !== undefined) {
        const problem = `${quote(binding.bindingName)} is already a binding, on ${placeOf({ locate }, first)}, which wrangler refuses`;
        leave(place, { problem, note: "Give one of them another name." });
        continue;
      }
      places.set(binding.bindingName, place);
      bindings.push(binding);
    }
  }
  return { bindings, diagnostics };
}

/** Whether the config belongs to a Pages project. */
export function isPages(raw: JsonObject): boolean {
  return raw["pages_build_output_dir"] !== undefined;
}

/** The VPC bindings of deployed previews, in all environments. `wrangler dev` never uses them. */
export function readPreviewBindings(raw: JsonObject): VpcBinding[] {
  const sections = [raw, ...environmentsOf(raw).map((env) => activeSection(raw, env))];
  return sections.flatMap(({ previews }) =>
    VPC_KEYS.flatMap((key) => {
      const entries = isPlainObject(previews) ? previews[key] : undefined;
      if (!Array.isArray(entries)) return [];
      return entries.flatMap((entry) => {
        const binding = parseVpcEntry(key, entry);
        return isProblem(binding) ? [] : [binding];
      });
    }),
  );
}

interface EntryProblem extends Problem {
  /** What to write instead. */
  note: string;
}

const FORMS = {
  vpc_services: 'Each of its entries has a "binding" and a "service_id".',
  vpc_networks: 'Each of its entries has a "binding" and either a "tunnel_id" or a "network_id".',
  hyperdrive: 'Each of its entries has a "binding" and an "id".',
};

const ID_KEYS = { vpc_services: ["service_id"], vpc_networks: ["tunnel_id", "network_id"], hyperdrive: ["id"] };
const TYPES = { vpc_services: "vpc-service", vpc_networks: "vpc-network", hyperdrive: "hyperdrive" } as const;

/** @returns the binding, or why wrangler would refuse the entry */
export function parseVpcEntry(key: (typeof VPC_KEYS)[number], entry: Json, env?: string): VpcBinding | EntryProblem {
  const note = FORMS[key];
  if (!isPlainObject(entry))
    return { problem: `this entry of "${key}" is ${quote(entry)}, but must be an object`, note };
  const bindingName = entry["binding"];
  if (typeof bindingName !== "string") return { problem: `this entry of "${key}" lacks a "binding"`, note };
  const binding = `the binding ${quote(bindingName)}`;
  if (entry["remote"] !== undefined && entry["remote"] !== true && key !== "hyperdrive") {
    return {
      problem: `${binding} has "remote" = ${quote(entry["remote"])}, which wrangler refuses`,
      note: 'Leave "remote" out: the binding is then served on this machine.',
    };
  }
  const idKeys = ID_KEYS[key];
  const [idKey, ...others] = idKeys.filter((name) => entry[name] !== undefined);
  if (idKey === undefined) return { problem: `${binding} lacks a "${idKeys.join('" or "')}"`, note };
  if (others.length > 0) return { problem: `${binding} has both "${idKeys.join('" and "')}"`, note };
  const id = entry[idKey];
  if (typeof id !== "string") return { problem: `the "${idKey}" of ${binding} is ${quote(id)}`, note };
  const ownString = key === "hyperdrive" ? ownStringOf(bindingName, entry, env) : undefined;
  return { bindingName, bindingType: TYPES[key], id, ...(ownString !== undefined && { ownString }) };
}
