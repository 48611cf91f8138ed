/**
 * Reads from `wrangler dev`'s arguments the few that decide which configs are used, and puts other
 * config files in their place. Everything else is wrangler's business and is handed through as it is.
 */

import { parseArgs } from "node:util";

export interface DevArgs {
  /** The arguments as given. */
  args: readonly string[];
  /** Every `-c`, `--config`, in order. */
  configs: ConfigArg[];
  /** The entry point given as a positional argument; wrangler looks for its config in that folder. */
  script?: string;
  cwd?: string;
  /** `--env`, `-e`. */
  env?: string;
  envFiles: string[];
  /** `--name`: what the first config's Worker is called instead. */
  workerName?: string;
  /** `--remote`: the Worker runs on Cloudflare's network. */
  isRemote: boolean;
  isHelp: boolean;
  /** `--types`: wrangler would write types made from the generated config. */
  wantsTypes: boolean;
  /** `--experimental-new-config`: a `cloudflare.config.ts` instead of a wrangler config. */
  wantsNewConfig: boolean;
}

interface ConfigArg {
  text: string;
  /** Of the argument that holds the path. */
  index: number;
  /** `--config=x` rather than `--config x`. */
  isInline: boolean;
}

/** Options of `wrangler dev` that take one value; needed to tell a value from the script. */
const VALUE_OPTIONS = (
  "assets compatibility-date host https-cert-path https-key-path inspector-ip inspector-port ip jsx-factory " +
  "jsx-fragment local-protocol local-upstream log-level persist-to port profile site tsconfig tunnel-name upstream-protocol"
).split(" ");

/** Options of `wrangler dev` that take all values up to the next option. */
const LIST_OPTIONS =
  "alias compatibility-flag compatibility-flags define env-file route routes site-exclude site-include var".split(" ");

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const OPTIONS = {
  ...Object.fromEntries([...VALUE_OPTIONS, ...LIST_OPTIONS].map((name) => [name, text])),
  config: { ...text, short: "c" },
  env: { ...text, short: "e" },
  cwd: text,
  name: text,
  help: { ...flag, short: "h" },
  remote: { ...flag, short: "r" },
} as const;

/** @param args what follows `dev` on the command line */
export function parseDevArgs(args: readonly string[]): DevArgs {
  const parsed: DevArgs = {
    args,
    configs: [],
    envFiles: [],
    isRemote: false,
    isHelp: false,
    wantsTypes: false,
    wantsNewConfig: false,
  };
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true });
  let openList: string | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") break;
    if (token.kind === "positional") {
      if (openList === "env-file") parsed.envFiles.push(token.value);
      // `--minify true`: a flag may be followed by its value.
      const isFlagValue = token.value === "true" || token.value === "false";
      if (openList === undefined && !isFlagValue) parsed.script ??= token.value;
      continue;
    }
    openList = LIST_OPTIONS.includes(token.name) ? token.name : undefined;
    const isOn = args[token.index + 1] !== "false" && token.value !== "false";
    // `-c=x` is `-c x` to wrangler.
    const value = token.rawName.startsWith("--") ? token.value : token.value?.replace(/^=/, "");
    switch (token.name) {
      case "config":
        if (value === undefined) break;
        parsed.configs.push({
          text: value,
          index: token.inlineValue ? token.index : token.index + 1,
          isInline: token.inlineValue === true,
        });
        break;
      case "env":
        if (value !== undefined) parsed.env = value;
        break;
      case "env-file":
        if (value !== undefined) parsed.envFiles.push(value);
        break;
      case "cwd":
        if (value !== undefined) parsed.cwd = value;
        break;
      case "name":
        if (value !== undefined) parsed.workerName = value;
        break;
      case "help":
        parsed.isHelp = true;
        break;
      case "remote":
        parsed.isRemote = isOn;
        break;
      case "types":
        parsed.wantsTypes = isOn;
        break;
      case "experimental-new-config":
      case "x-new-config":
        parsed.wantsNewConfig = isOn;
        break;
    }
  }
  return parsed;
}

/**
 * The arguments with other config files in place of the user's, and no types made from those.
 *
 * @param files one for each of `parsed.configs`; a single one when the user named none
 */
export function replaceConfigs(parsed: DevArgs, files: readonly string[]): string[] {
  const args = [...parsed.args];
  for (const [position, config] of parsed.configs.entries()) {
    const file = files[position] ?? config.text;
    args[config.index] = config.isInline ? `--config=${file}` : file;
  }
  if (parsed.configs.length === 0) args.unshift(...files.flatMap((file) => ["--config", file]));
  return parsed.wantsTypes ? [...args, "--no-types"] : args;
}
