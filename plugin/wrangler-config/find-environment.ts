/**
 * Says which environment of the wrangler configs counts, as the host does. Reads the `.env` files only for a command
 * line: wrangler's functions ignore a CLOUDFLARE_ENV there, and Vite puts it into `process.env` itself.
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";

import { hasCode } from "../system/error.ts";
import type { DevArgs } from "./dev-args.ts";

/**
 * @param given the name that the user gave to the host; it wins over the variable
 * @param variables what the host knows: its process's variables, and those of `.env` files if it reads them
 * @returns undefined for the top level
 */
export function pickEnvironment(given: string | undefined, variables: NodeJS.ProcessEnv): string | undefined {
  const environment = given ?? variables["CLOUDFLARE_ENV"];
  return environment === "" ? undefined : environment;
}

/** The environment that the command line `wrangler dev` uses for its arguments, or a command of ours that follows it. */
export function findEnvironment(
  args: Pick<DevArgs, "env" | "envFiles">,
  { cwd, processEnv }: { cwd: string; processEnv: NodeJS.ProcessEnv },
): string | undefined {
  const names = args.envFiles.length > 0 ? args.envFiles : suffixesOf(args.env).map((suffix) => `.env${suffix}`);
  const inFiles = readEnvFiles(names.map((name) => path.resolve(cwd, name)));
  return pickEnvironment(args.env, { CLOUDFLARE_ENV: valueOf("CLOUDFLARE_ENV", { inFiles, processEnv }) });
}

/** By the name of a variable: its value in the process, if a `.env` file had the same. wrangler puts those there when it starts. */
const valuesFromFiles = new Map<string, string>();

/**
 * Reads the `.env` files of a folder once. A value that wrangler has put into the process is that of the file, also after an
 * edit of the file.
 *
 * @param env the environment, whose `.env.NAME` counts too
 * @returns gives the value of a variable of the process, or of the files; undefined if it has none
 */
export function readVariables(folder: string, env?: string): (name: string) => string | undefined {
  const inFiles = readEnvFiles(envFilesOf(folder, env));
  return (name) => {
    const inProcess = process.env[name];
    const inFile = valueOf(name, { inFiles, processEnv: { ...process.env, [name]: undefined } });
    if (inProcess && inProcess === inFile) valuesFromFiles.set(name, inProcess);
    return (inProcess && inProcess !== valuesFromFiles.get(name) ? inProcess : inFile) || undefined;
  };
}

/** The files that `readVariables` reads, as absolute paths. The last one wins. */
export function envFilesOf(folder: string, env?: string): string[] {
  return suffixesOf(env).map((suffix) => path.join(folder, `.env${suffix}`));
}

function suffixesOf(env: string | undefined): string[] {
  return env === undefined ? ["", ".local"] : ["", ".local", `.${env}`, `.${env}.local`];
}

function readEnvFiles(files: readonly string[]): Record<string, string> {
  return Object.assign({}, ...files.map((file) => parseEnv(textOf(file))));
}

interface Variables {
  /** The values of all files as they are written; the last file wins. */
  inFiles: Record<string, string>;
  processEnv: NodeJS.ProcessEnv;
}

/** `$NAME`, `${NAME}` and `${NAME:-default}`. */
const REFERENCE = /(?<!\\)\$(?:\{(\w+)(?::?-([^{}]*))?\}|([A-Za-z_]\w*))/g;

/** Like wrangler: a variable of the process wins unless it is empty, and a value in a file may refer to others. */
function valueOf(name: string, variables: Variables, referring: readonly string[] = []): string | undefined {
  const own = variables.processEnv[name];
  const written = variables.inFiles[name];
  if (own || written === undefined || referring.includes(name)) return own;
  return written.replaceAll(
    REFERENCE,
    (_, braced: string | undefined, instead: string | undefined, bare: string | undefined) =>
      valueOf(braced ?? bare ?? "", variables, [...referring, name]) || (instead ?? ""),
  );
}

/** Like wrangler, ignores a file that can't be read: `.env` may be a folder, such as a Python environment. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "EISDIR", "EACCES", "EPERM")) return "";
    throw error;
  }
}
