/**
 * A command as data: from its declaration derive its usage, how its arguments are parsed, what is said of
 * a wrong one, and what a shell completes. The declaration holds no behaviour but `run`.
 */

import type { Exit } from "../dev/run-wrangler.ts";
import { formatHelp } from "./help.ts";
import { parseArguments } from "./parse-arguments.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** What a shell offers for a value. */
export type Completes = "file" | "binding" | "environment" | "worker";

interface FlagBase {
  /** One letter: `c` for `-c`. */
  short?: string;
  /** One line, without a full stop. */
  summary: string;
}

/** Is there or is not: `--json`. */
export interface SwitchFlag extends FlagBase {
  type: "boolean";
}

/** Takes a value: `--env NAME`. */
export interface ValueFlag extends FlagBase {
  type: "string";
  /** What stands for the value in the usage: `NAME`. */
  value: string;
  /** May be given several times. */
  isRepeated?: true;
  /** An empty value means something. */
  mayBeEmpty?: true;
  /** The only values there are. */
  choices?: readonly string[];
  completes?: Completes;
}

export type Flag = SwitchFlag | ValueFlag;
/** By name, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

export interface Positional {
  name: string;
  /** One line, without a full stop. */
  summary: string;
  isOptional?: true;
  /** Only the last may be; at least one then, unless it is optional too. */
  isRepeated?: true;
  choices?: readonly string[];
  completes?: Completes;
}

export interface CommandInfo {
  name: string;
  /** One line, without a full stop: what it is for. */
  summary: string;
  /** Paragraphs under the usage line. */
  description: string;
  positionals: readonly Positional[];
  flags: Flags;
  /** Arguments behind the command's name, and what they do. */
  examples: readonly { args: string; summary: string }[];
  exitCodes: ExitCodes;
  /** All arguments are another program's: nothing of them is parsed, not even `--help`. */
  isPassedOn?: true;
}

/** Code and meaning; 2 is always a usage error. */
export type ExitCodes = Readonly<Record<number, string>>;

export interface Command extends CommandInfo {
  /** @param argv what follows the command's name */
  run(argv: readonly string[], terminal: Terminal): Promise<Exit>;
}

/** The arguments of one call, by what was declared. */
export interface Call<F extends Flags, P extends readonly Positional[]> {
  flags: { [Name in keyof F]: FlagValue<F[Name]> };
  positionals: { [Each in P[number] as Each["name"]]: PositionalValue<Each> };
}

type FlagValue<F extends Flag> = F extends SwitchFlag
  ? boolean
  : F extends { isRepeated: true }
    ? string[]
    : string | undefined;
type PositionalValue<P extends Positional> = P extends { isRepeated: true }
  ? string[]
  : P extends { isOptional: true }
    ? string | undefined
    : string;

export const FINE = 0;
export const PROBLEMS = 1;
export const USAGE_ERROR = 2;

/** Gives a command its parsing, its `--help` and its usage errors. */
export function defineCommand<const F extends Flags, const P extends readonly Positional[]>(
  declared: Omit<CommandInfo, "flags" | "positionals" | "isPassedOn"> & {
    flags: F;
    positionals: P;
    /** @throws {UsageError} for what only the command itself can judge */
    run(call: Call<F, P>, terminal: Terminal): Promise<Exit>;
  },
): Command {
  return {
    ...declared,
    async run(argv, terminal) {
      try {
        const parsed = parseArguments(declared, argv);
        if (parsed === "help") {
          terminal.print(formatHelp(declared));
          return FINE;
        }
        // `parseArguments` went by the same declaration.
        return await declared.run(parsed as Call<F, P>, terminal);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        terminal.printError(`miniflare-vpc ${declared.name}: ${error.message}`);
        return USAGE_ERROR;
      }
    },
  };
}
