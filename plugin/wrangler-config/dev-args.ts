/**
 * Reads the few arguments of `wrangler dev` that decide which configs are used, and replaces the config
 * files among them. All other arguments are wrangler's business and are passed through unchanged.
 */

import { parseArgs } from "node:util";

export interface DevArgs {
  /** The arguments as given. */
  args: readonly string[];
  /** Every `-c` and `--config`, in order. */
  configs: ConfigArg[];
  /** The entry point, if given as a positional argument. wrangler looks for its config in that folder. */
  script?: string;
  cwd?: string;
  /** `--env`, `-e`. */
  env?: string;
  envFiles: string[];
  /** `--name`: the name of the first config's Worker. */
  workerName?: string;
  /** `--remote`: the Worker runs on Cloudflare's network. */
  isRemote: boolean;
  /** `--local`: no remote bindings. */
  isLocal: boolean;
  /** `--types`: wrangler would write types from the generated config. */
  wantsTypes: boolean;
  /** `--experimental-new-config`: wrangler reads a `cloudflare.config.ts` instead of a wrangler config. */
  wantsNewConfig: boolean;
  /** The indexes of the arguments that say so. */
  newConfigArgs: number[];
}

interface ConfigArg {
  text: string;
  /** The index of the argument that holds the path. */
  index: number;
  /** `--config=x` rather than `--config x`. */
  isInline: boolean;
}

/** Options of `wrangler dev` that take one value. They tell a value from the script. */
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
  remote: { ...flag, short: "r" },
  local: { ...flag, short: "l" },
} as const;

/** The arguments of `miniflare-vpc dev` that are not wrangler's, as text: "" without a value; absent without the flag. */
export interface OwnArgs {
  /** `--control [PORT]` */
  control?: string;
  /** `--record [FILE]` */
  record?: string;
}

/** What may follow an argument as its value. wrangler's script may follow it, too. */
const OWN_VALUES: Record<keyof OwnArgs, RegExp> = { control: /^\d+$/, record: /^[^-].*\.har$/i };

/** Takes the arguments that are not wrangler's out of the others. */
export function takeOwnArgs(argv: readonly string[]): { args: string[]; own: OwnArgs } {
  let args = [...argv];
  const own: OwnArgs = {};
  for (const name of ["control", "record"] as const) {
    const end = args.indexOf("--");
    const flag = `--${name}`;
    const at = args.findIndex(
      (argument, index) => (argument === flag || argument.startsWith(`${flag}=`)) && (end === -1 || index < end),
    );
    const [given, next] = args.slice(at);
    if (at === -1 || given === undefined) continue;
    const isNext = given === flag && next !== undefined && OWN_VALUES[name].test(next);
    own[name] = isNext ? next : given.slice(flag.length + 1);
    args = args.toSpliced(at, isNext ? 2 : 1);
  }
  return { args, own };
}

/** What `--ui`, `--no-ui` and `--ui-port N` say, which are not wrangler's. */
export interface UiArgs {
  /** The last one counts. */
  isOn?: boolean;
  /** As typed; "" if nothing follows. */
  port?: string;
}

/** Takes them out of the arguments. */
export function takeUi(argv: readonly string[]): { args: string[]; ui: UiArgs } {
  const args: string[] = [];
  const ui: UiArgs = {};
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? "";
    const [, prefix, value] = index < end ? (/^--(ui|no-ui|ui-port)(?:=(.*))?$/s.exec(argument) ?? []) : [];
    if (prefix === undefined) args.push(argument);
    else if (prefix === "ui-port") ui.port = value ?? (index + 1 < end ? argv[++index] : undefined) ?? "";
    else ui.isOn = (prefix === "ui") === (value !== "false");
  }
  return { args, ui };
}

/** @param args what follows `dev` on the command line */
export function parseDevArgs(args: readonly string[]): DevArgs {
  const parsed: DevArgs = {
    args,
    configs: [],
    envFiles: [],
    isRemote: false,
    isLocal: false,
    wantsTypes: false,
    wantsNewConfig: false,
    newConfigArgs: [],
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
    // wrangler reads `-c=x` as `-c x`.
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
      case "remote":
        parsed.isRemote = isOn;
        break;
      case "local":
        parsed.isLocal = isOn;
        break;
      case "types":
        parsed.wantsTypes = isOn;
        break;
      case "experimental-new-config":
      case "x-new-config":
        parsed.wantsNewConfig = isOn;
        parsed.newConfigArgs.push(token.index);
        break;
    }
  }
  return parsed;
}

/**
 * Replaces the user's config files in the arguments, and turns off types from the replacements. They are no
 * `cloudflare.config.ts`.
 *
 * @param files one for each of `parsed.configs`; a single one if the user named none
 */
export function replaceConfigs(parsed: DevArgs, files: readonly string[]): string[] {
  const args = [...parsed.args];
  for (const [position, config] of parsed.configs.entries()) {
    const file = files[position] ?? config.text;
    args[config.index] = config.isInline ? `--config=${file}` : file;
  }
  for (const index of parsed.newConfigArgs.toReversed()) args.splice(index, 1);
  if (parsed.configs.length === 0) args.unshift(...files.flatMap((file) => ["--config", file]));
  return parsed.wantsTypes ? [...args, "--no-types"] : args;
}
