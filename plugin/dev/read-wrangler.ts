/**
 * Reads wrangler configs (TOML, JSON, JSONC) as wrangler does, and takes the VPC bindings out of them. It
 * never judges the rest of the config: that is wrangler's business.
 */

import { readFileSync } from "node:fs";

import { type Problem, isProblem } from "../../service-worker/address.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { messageOf } from "../error.ts";
import type { VpcBinding } from "../model.ts";
import { isTable, placeOf, quote } from "../read/document.ts";
import type { Locate, Path } from "../read/locate.ts";
import { readText } from "../read/read-text.ts";

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

/** The keys of a wrangler config that hold VPC bindings. */
export const VPC_KEYS = ["vpc_services", "vpc_networks"] as const;

/**
 * @param file absolute path
 * @returns the config, or the first reason why it can't be read
 */
export function readWranglerConfig(file: string): WranglerConfig | Diagnostic {
  const { config, diagnostics } = readWrangler(file);
  const [first] = diagnostics;
  if (config !== undefined) return config;
  if (first === undefined) throw new Error(`miniflare-vpc: ${file} was not read, and nothing says why`);
  return first;
}

export interface WranglerResult {
  /** Undefined: it can't be read, and the diagnostics say why. */
  config: WranglerConfig | undefined;
  /** Every mistake of syntax; of a config that can be read, warnings. */
  diagnostics: Diagnostic[];
}

/** @param file absolute path */
export function readWrangler(file: string): WranglerResult {
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
  if (isTable(value)) {
    return {
      // The readers make nothing that JSON doesn't have.
      config: { file, raw: value as JsonObject, locate },
      // A key given twice, their one complaint about what can be read, is nothing to wrangler.
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
  return isTable(environments) ? Object.keys(environments).filter((env) => isTable(environments[env])) : [];
}

/** The part of the config that holds the bindings: `env.NAME`, or the top level. */
export function activeSection(raw: JsonObject, env: string | undefined): JsonObject {
  const section = isTable(raw["env"]) && env !== undefined ? raw["env"][env] : undefined;
  return isTable(section) ? section : raw;
}

/** @returns the Worker's name under `--env`, as wrangler builds it; undefined when the config names none */
export function workerNameOf(raw: JsonObject, env: string | undefined): string | undefined {
  const section = activeSection(raw, env);
  if (section !== raw && typeof section["name"] === "string") return section["name"];
  if (typeof raw["name"] !== "string") return undefined;
  return env === undefined ? raw["name"] : `${raw["name"]}-${env}`;
}

export interface VpcEntries {
  bindings: VpcBinding[];
  /** A warning for each entry that is none. */
  diagnostics: Diagnostic[];
}

/** The VPC bindings of the part that holds them. What is none is left as it is, for wrangler to judge. */
export function readVpcEntries({ file, raw, locate }: WranglerConfig, env: string | undefined): VpcEntries {
  const section = activeSection(raw, env);
  const at: Path = section === raw || env === undefined ? [] : ["env", env];
  const bindings: VpcBinding[] = [];
  /** By the binding's name. */
  const places = new Map<string, Path>();
  const diagnostics: Diagnostic[] = [];
  const leave = (place: Path, { problem, note }: EntryProblem): void => {
    diagnostics.push({
      severity: "warning",
      code: "binding-not-served",
      text: `${problem}; it is left to wrangler as it is`,
      file,
      ...locate(place, "value"),
      notes: [note],
    });
  };
  for (const key of VPC_KEYS) {
    const entries = section[key];
    if (entries === undefined) continue;
    if (!Array.isArray(entries)) {
      leave([...at, key], { problem: `"${key}" is ${quote(entries)}, but must be an array`, note: FORMS[key] });
      continue;
    }
    for (const [index, entry] of entries.entries()) {
      const place = [...at, key, index];
      const binding = parseVpcEntry(key, entry);
      if (isProblem(binding)) {
        leave(place, binding);
        continue;
      }
      const first = places.get(binding.bindingName);
      if (first !== undefined) {
        const problem = `${quote(binding.bindingName)} is a binding already, on ${placeOf({ locate }, first)}, which wrangler refuses`;
        leave(place, { problem, note: "Give one of them another name." });
        continue;
      }
      places.set(binding.bindingName, place);
      bindings.push(binding);
    }
  }
  return { bindings, diagnostics };
}

interface EntryProblem extends Problem {
  /** What to write instead. */
  note: string;
}

const FORMS = {
  vpc_services: 'Each of its entries has a "binding" and a "service_id".',
  vpc_networks: 'Each of its entries has a "binding" and either a "tunnel_id" or a "network_id".',
};

/** @returns why not, when wrangler would refuse the entry */
export function parseVpcEntry(key: (typeof VPC_KEYS)[number], entry: Json): VpcBinding | EntryProblem {
  const note = FORMS[key];
  if (!isTable(entry)) return { problem: `this entry of "${key}" is ${quote(entry)}, but must be an object`, note };
  const bindingName = entry["binding"];
  if (typeof bindingName !== "string") return { problem: `this entry of "${key}" lacks a "binding"`, note };
  const binding = `the binding ${quote(bindingName)}`;
  if (entry["remote"] !== undefined && entry["remote"] !== true) {
    return {
      problem: `${binding} has "remote" = ${quote(entry["remote"])}, which wrangler refuses`,
      note: 'Leave "remote" out: the binding is then served on this machine.',
    };
  }
  const idKeys = key === "vpc_services" ? ["service_id"] : ["tunnel_id", "network_id"];
  const [idKey, ...others] = idKeys.filter((name) => entry[name] !== undefined);
  if (idKey === undefined) return { problem: `${binding} lacks a "${idKeys.join('" or "')}"`, note };
  if (others.length > 0) return { problem: `${binding} has both "${idKeys.join('" and "')}"`, note };
  const id = entry[idKey];
  if (typeof id !== "string") return { problem: `the "${idKey}" of ${binding} is ${quote(id)}`, note };
  return { bindingName, bindingType: key === "vpc_services" ? "vpc-service" : "vpc-network", id };
}
