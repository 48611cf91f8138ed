/**
 * Finds the wrangler configs that `wrangler dev` would use for its arguments. Follows wrangler's own search,
 * and reads only the redirects that it finds.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import type { DevArgs } from "./dev-args.ts";
import { type Diagnostic, isDiagnostic } from "../diagnostics.ts";
import { NEW_CONFIG } from "./read-new-config.ts";
import { readWranglerConfig } from "./read-wrangler.ts";

export interface FoundConfig {
  /** Absolute path of the config that wrangler reads. */
  file: string;
  /** The config that the user wrote. It differs from `file` if a build tool redirects wrangler to its output. */
  userFile: string;
}

/** In wrangler's order: a `wrangler.json` further up wins over a `wrangler.toml` in the same folder. */
const CONFIG_NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** Written by build tools: `{ "configPath": … }`, relative to itself. */
const REDIRECT = path.join(".wrangler", "deploy", "config.json");

/**
 * @param args of `wrangler dev`, or of a command that takes the same `--config`
 * @param cwd absolute; the folder that wrangler runs in
 * @returns an empty list if wrangler would run without a config
 */
export function findConfigs(
  args: { configs: readonly { text: string }[] } & Pick<DevArgs, "script"> & Partial<Pick<DevArgs, "wantsNewConfig">>,
  cwd: string,
): FoundConfig[] | Diagnostic {
  const newConfig = path.join(cwd, NEW_CONFIG);
  if (args.wantsNewConfig)
    return args.configs.length > 0 ? refuseConfig(newConfig) : [{ file: newConfig, userFile: newConfig }];
  if (args.configs.length > 0) {
    return args.configs.map(({ text }) => path.resolve(cwd, text)).map((file) => ({ file, userFile: file }));
  }
  const folder = args.script === undefined ? cwd : path.dirname(path.resolve(cwd, args.script));
  const userFile = CONFIG_NAMES.map((name) => findUp(folder, name)).find((file) => file !== undefined);
  const redirectFile = findUp(folder, REDIRECT);
  if (redirectFile === undefined) {
    if (userFile !== undefined) return [{ file: userFile, userFile }];
    // wrangler looks for it in its own folder only.
    return existsSync(newConfig) ? [{ file: newConfig, userFile: newConfig }] : [];
  }

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

function refuseConfig(file: string): Diagnostic {
  return {
    severity: "error",
    code: "wrangler-config-unreadable",
    text: "--config names another config than --experimental-new-config, and wrangler refuses both together",
    file,
    notes: ["Leave one of them out."],
  };
}

/** @returns the absolute path of `name` in `folder`, or in the nearest folder above that has it */
function findUp(folder: string, name: string): string | undefined {
  const candidate = path.resolve(folder, name);
  if (existsSync(candidate)) return candidate;
  const parent = path.dirname(path.resolve(folder));
  return parent === path.resolve(folder) ? undefined : findUp(parent, name);
}
