/**
 * Finds a vpc config and reads it into a document, by its file's extension. Does not parse its fields.
 */

import { type Dirent, readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { hasCode } from "../system/error.ts";
import { readFile } from "./read-file.ts";
import { readText } from "./read-text.ts";
import { type ReadResult, type TextResult, unreadable } from "./result.ts";

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
  if (found === undefined) {
    const misnamed = describeMisnamed(present, folder);
    return { document: undefined, diagnostics: misnamed === undefined ? [] : [misnamed], file, watch: candidates };
  }
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

/** Reports a vpc config with capital letters in its name: macOS and Windows would take it for the real one, Linux would not. */
export function findMisnamed(folder: string): Diagnostic | undefined {
  try {
    return describeMisnamed(fileNames(readdirSync(folder, { withFileTypes: true })), folder);
  } catch (error) {
    // Whatever reads or writes in the folder reports that.
    if (hasCode(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

function describeMisnamed(names: Iterable<string>, folder: string): Diagnostic | undefined {
  const all = [...names];
  const misnamed = all.find((name) => CONFIG_NAMES.includes(name.toLowerCase()));
  if (misnamed === undefined || all.some((name) => CONFIG_NAMES.includes(name))) return undefined;
  return {
    severity: "error",
    code: "config-misnamed",
    text: "the name of a vpc config has no capital letters, so this file is not read",
    file: path.join(folder, misnamed),
    notes: [`Rename it to ${misnamed.toLowerCase()}.`],
  };
}

/** @param file absolute path of a config */
export async function readVpc(file: string): Promise<ReadResult> {
  const extension = path.extname(file);
  switch (extension) {
    case ".json":
    case ".jsonc":
    case ".toml":
      return { ...readTextFile(file), file, watch: [file] };
    case ".ts":
    case ".mts":
    case ".mjs":
    case ".js": {
      // Loads esbuild, which other configs do not need.
      const { readModule } = await import("./read-module.ts");
      return { ...(await readModule(file)), file };
    }
    default:
      return {
        document: undefined,
        diagnostics: [
          {
            severity: "error",
            code: "unknown-config-format",
            text: `a vpc config can't be a ${extension === "" ? "file without an extension" : `${extension} file`}`,
            file,
            notes: [`Use one of these names: ${CONFIG_NAMES.join(", ")}.`],
          },
        ],
        file,
        watch: [file],
      };
  }
}

function readTextFile(file: string): TextResult {
  let bytes: Uint8Array;
  try {
    bytes = readFile(file);
  } catch (error) {
    return { document: undefined, diagnostics: [unreadable(file, error)] };
  }
  return readText(bytes, file);
}

/** Lists the names of a folder's files. The list is empty if there is no such folder. */
async function filesIn(folder: string): Promise<Set<string>> {
  try {
    return new Set(fileNames(await readdir(folder, { withFileTypes: true })));
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return new Set();
    throw error;
  }
}

function fileNames(entries: readonly Dirent[]): string[] {
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
}
