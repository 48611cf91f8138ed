/**
 * A command as data. Its usage, the parsing of its arguments, the messages for wrong ones and the completion in a
 * shell all derive from its declaration. `run` is the only behaviour in it.
 */

import type { Exit } from "../dev/run-wrangler.ts";
import type { Terminal } from "./terminal.ts";

/** What a shell completes a value with. */
export type Completes = "file" | "binding" | "environment" | "worker";

interface FlagBase {
  /** One letter: `c` for `-c`. */
  short?: string;
  /** One line, without a full stop. */
  summary: string;
}

/** A flag without a value: `--json`. */
export interface SwitchFlag extends FlagBase {
  type: "boolean";
  /** The placeholder of a value that may be left out. Only for a command that passes its arguments on. */
  value?: string;
}

/** A flag with a value: `--env NAME`. */
export interface ValueFlag extends FlagBase {
  type: "string";
  /** The placeholder of the value in the usage: `NAME`. */
  value: string;
  /** Can be given several times. */
  isRepeated?: true;
  /** An empty value is allowed. */
  mayBeEmpty?: true;
  /** The valid values, if there are only a few. */
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
  /** Only the last positional can be repeated. It must be given at least once, unless it is also optional. */
  isRepeated?: true;
  choices?: readonly string[];
  completes?: Completes;
}

export interface CommandInfo {
  name: string;
  /** One line, without a full stop: what the command does. */
  summary: string;
  /** Paragraphs under the usage line. */
  description: string;
  positionals: readonly Positional[];
  flags: Flags;
  /** Arguments after the command's name, and what they do. */
  examples: readonly { args: string; summary: string }[];
  exitCodes: ExitCodes;
  /** The program that all arguments are passed on to: `wrangler dev`. It may know more than those declared here. */
  passedOnTo?: string;
}

/** Code and meaning; 2 is always a usage error. */
export type ExitCodes = Readonly<Record<number, string>>;

export interface Command extends CommandInfo {
  /** @param argv the arguments after the command's name */
  run(argv: readonly string[], terminal: Terminal): Promise<Exit>;
}

/** The arguments of one call, with the types of the declaration. */
export interface CommandCall<F extends Flags, P extends readonly Positional[]> {
  flags: { [Name in keyof F]: FlagValue<F[Name]> };
  positionals: { [Each in P[number] as Each["name"]]: PositionalValue<Each> };
  /** The arguments as given. */
  argv: readonly string[];
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
