/**
 * Which environment of the wrangler configs `wrangler dev` would use for its arguments.
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";

import { hasCode } from "../error.ts";
import type { DevArgs } from "./dev-args.ts";

/**
 * The environment wrangler takes: `--env`, then CLOUDFLARE_ENV of the process, then of the `.env` files.
 *
 * @returns undefined for the top level
 */
export function findEnvironment(
  args: Pick<DevArgs, "env" | "envFiles">,
  { cwd, processEnv }: { cwd: string; processEnv: NodeJS.ProcessEnv },
): string | undefined {
  const suffixes = args.env === undefined ? ["", ".local"] : ["", ".local", `.${args.env}`, `.${args.env}.local`];
  const files = args.envFiles.length > 0 ? args.envFiles : suffixes.map((suffix) => `.env${suffix}`);
  const fromFiles = files
    .map((file) => path.resolve(cwd, file))
    .map((file) => parseEnv(textOf(file))["CLOUDFLARE_ENV"])
    .findLast((value) => value !== undefined);
  const environment = args.env ?? processEnv["CLOUDFLARE_ENV"] ?? fromFiles;
  return environment === "" ? undefined : environment;
}

/** As to wrangler, what can't be read says nothing: `.env` may well be a folder, of Python's say. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "EISDIR", "EACCES", "EPERM")) return "";
    throw error;
  }
}
