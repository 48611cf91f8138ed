/**
 * Reads wrangler configs (TOML, JSON, JSONC) as wrangler does, and takes the VPC bindings out of them. It
 * never judges the rest of the config: that is wrangler's business.
 */

import { readFileSync } from "node:fs";
import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { messageOf } from "../error.ts";
import type { VpcBinding } from "../model.ts";
import { isTable, quote } from "../read/document.ts";
import { readJsonc } from "../read/read-jsonc.ts";
import { readToml } from "../read/read-toml.ts";

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export interface WranglerConfig {
  /** Absolute path. */
  file: string;
  raw: JsonObject;
}

/** The keys of a wrangler config that hold VPC bindings. */
export const VPC_KEYS = ["vpc_services", "vpc_networks"] as const;

/** @param file absolute path */
export function readWranglerConfig(file: string): WranglerConfig | Diagnostic {
  let text: string;
  try {
    text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    return unreadable(file, {
      text: messageOf(error),
      notes: ["Check the path after -c (--config), or start in the folder that holds the config."],
    });
  }
  const read = path.extname(file) === ".toml" ? readToml : readJsonc;
  const { document, diagnostics } = read(text, { file, folder: path.dirname(file) });
  const value = document?.value;
  // The readers make nothing that JSON doesn't have. A key given twice, their one complaint about what can be
  // read, is nothing to wrangler.
  if (isTable(value)) return { file, raw: value as JsonObject };
  return unreadable(file, diagnostics[0] ?? { text: `it is ${quote(value)}, but must be an object` });
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

/** The well-formed VPC bindings of a section; wrangler itself complains about the others. */
export function vpcBindings(section: JsonObject): VpcBinding[] {
  return VPC_KEYS.flatMap((key) => {
    const entries = section[key];
    return Array.isArray(entries) ? entries.flatMap((entry) => vpcBinding(key, entry) ?? []) : [];
  });
}

/** @returns undefined when wrangler would refuse the entry */
export function vpcBinding(key: (typeof VPC_KEYS)[number], entry: Json): VpcBinding | undefined {
  if (!isTable(entry) || typeof entry["binding"] !== "string") return undefined;
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
