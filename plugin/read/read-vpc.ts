/**
 * Finds a vpc config and reads it into a document, by its file's ending. Understands none of it.
 */

import { readFile, readdir } from "node:fs/promises";
import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { hasCode, messageOf } from "../error.ts";
import type { VpcDocument } from "./document.ts";
import { readModule } from "./read-module.ts";
import { type TextResult, readText } from "./read-text.ts";

export const CONFIG_NAMES: readonly string[] = [
  "vpc.jsonc",
  "vpc.json",
  "vpc.toml",
  "vpc.config.ts",
  "vpc.config.mts",
  "vpc.config.mjs",
  "vpc.config.js",
];

/** The name of a config that does not exist yet. */
const NEW_CONFIG_NAME = "vpc.jsonc";

export interface ReadResult {
  /** Undefined: there is none, or it could not be read and a diagnostic says why. */
  document: VpcDocument | undefined;
  diagnostics: Diagnostic[];
  /** Absolute; where the config is or would be. */
  file: string;
  /** Absolute; a change to any of them, or its creation, changes the config. */
  watch: string[];
}

/** Reads the config in a folder, if there is one. */
export async function readVpcIn(folder: string): Promise<ReadResult> {
  const file = path.join(folder, NEW_CONFIG_NAME);
  const candidates = CONFIG_NAMES.map((name) => path.join(folder, name));
  let present: Set<string>;
  try {
    present = await filesIn(folder);
  } catch (error) {
    return { document: undefined, diagnostics: [unreadable(folder, error)], file, watch: candidates };
  }
  const [found, ...others] = CONFIG_NAMES.filter((name) => present.has(name));
  if (found === undefined) return { document: undefined, diagnostics: [], file, watch: candidates };
  if (others.length === 0) {
    const result = await readVpc(path.join(folder, found));
    return { ...result, watch: [...new Set([...result.watch, ...candidates])] };
  }
  const names = [found, ...others];
  return {
    document: undefined,
    diagnostics: [
      {
        severity: "error",
        code: "several-configs",
        text: `there are ${names.length} vpc configs in one folder: ${names.join(", ")}`,
        file: path.join(folder, found),
        notes: ["Keep one of them."],
      },
    ],
    file: path.join(folder, found),
    watch: candidates,
  };
}

/** @param file absolute path of a config */
export async function readVpc(file: string): Promise<ReadResult> {
  const extension = path.extname(file);
  switch (extension) {
    case ".json":
    case ".jsonc":
    case ".toml":
      return { ...(await readTextFile(file)), file, watch: [file] };
    case ".ts":
    case ".mts":
    case ".mjs":
    case ".js":
      return { ...(await readModule(file)), file };
    default:
      return {
        document: undefined,
        diagnostics: [
          {
            severity: "error",
            code: "unknown-config-format",
            text: `a vpc config can't be a ${extension === "" ? "file without an ending" : `${extension} file`}`,
            file,
            notes: [`Its name is one of ${CONFIG_NAMES.join(", ")}.`],
          },
        ],
        file,
        watch: [file],
      };
  }
}

async function readTextFile(file: string): Promise<TextResult> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return { document: undefined, diagnostics: [unreadable(file, error)] };
  }
  return readText(bytes, file);
}

export function unreadable(file: string, error: unknown): Diagnostic {
  const isMissing = hasCode(error, "ENOENT");
  return {
    severity: "error",
    code: isMissing ? "config-not-found" : "config-unreadable",
    text: isMissing ? "there is no such vpc config" : `the vpc config can't be read: ${messageOf(error)}`,
    file,
    notes: isMissing ? ["Create it, or correct its path."] : [],
  };
}

/** The names of a folder's files; none if there is no such folder. */
async function filesIn(folder: string): Promise<Set<string>> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return new Set(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name));
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return new Set();
    throw error;
  }
}
