/**
 * Which wrangler configs, and which of their environments, `wrangler dev` would use for its arguments.
 * Follows wrangler's own search; reads no config's content.
 */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";

import type { DevArgs } from "./dev-args.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { isDiagnostic, readWranglerConfig } from "./read-wrangler.ts";

export interface ConfigSource {
  /** Absolute path of what wrangler reads. */
  file: string;
  /** The config the user wrote. Another one when a build tool redirects wrangler to its output. */
  userFile: string;
}

/** In wrangler's order: a `wrangler.json` further up wins over a `wrangler.toml` close by. */
const CONFIG_NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** Written by build tools: `{ "configPath": … }`, relative to itself. */
const REDIRECT = path.join(".wrangler", "deploy", "config.json");

/**
 * @param cwd absolute; where wrangler runs
 * @returns none when wrangler would run without a config
 */
export function findConfigs(args: DevArgs, cwd: string): ConfigSource[] | Diagnostic {
  if (args.configs.length > 0) {
    return args.configs.map(({ text }) => path.resolve(cwd, text)).map((file) => ({ file, userFile: file }));
  }
  const folder = args.script === undefined ? cwd : path.dirname(path.resolve(cwd, args.script));
  const userFile = CONFIG_NAMES.map((name) => findUp(folder, name)).find((file) => file !== undefined);
  const redirectFile = findUp(folder, REDIRECT);
  if (redirectFile === undefined) return userFile === undefined ? [] : [{ file: userFile, userFile }];

  const redirect = readWranglerConfig(redirectFile);
  if (isDiagnostic(redirect)) return redirect;
  const configPath = redirect.raw["configPath"];
  if (typeof configPath !== "string") {
    return {
      severity: "error",
      code: "wrangler-redirect-invalid",
      text: 'this redirect to a built config has no "configPath"',
      file: redirectFile,
      notes: ["Build the project again, or delete the file to use the wrangler config itself."],
    };
  }
  const file = path.resolve(path.dirname(redirectFile), configPath);
  return [{ file, userFile: userFile ?? file }];
}

/**
 * The environment wrangler takes: `--env`, then CLOUDFLARE_ENV of the process, then of the `.env` files.
 *
 * @returns undefined for the top level
 */
export function findEnvironment(
  args: DevArgs,
  { cwd, processEnv }: { cwd: string; processEnv: NodeJS.ProcessEnv },
): string | undefined {
  const suffixes = args.env === undefined ? ["", ".local"] : ["", ".local", `.${args.env}`, `.${args.env}.local`];
  const files = args.envFiles.length > 0 ? args.envFiles : suffixes.map((suffix) => `.env${suffix}`);
  const fromFiles = files
    .map((file) => path.resolve(cwd, file))
    .filter((file) => existsSync(file))
    .map((file) => parseEnv(readFileSync(file, "utf8"))["CLOUDFLARE_ENV"])
    .findLast((value) => value !== undefined);
  const environment = args.env ?? processEnv["CLOUDFLARE_ENV"] ?? fromFiles;
  return environment === "" ? undefined : environment;
}

/** @returns the absolute path of `name` in `folder` or the nearest folder above that has it */
function findUp(folder: string, name: string): string | undefined {
  const candidate = path.resolve(folder, name);
  if (existsSync(candidate)) return candidate;
  const parent = path.dirname(path.resolve(folder));
  return parent === path.resolve(folder) ? undefined : findUp(parent, name);
}
