/**
 * Parses arguments into values by a command's declaration. A mistake gets a message with what was probably meant.
 */

import { parseArgs } from "node:util";

import { didYouMean } from "../diagnostics.ts";
import type { CommandInfo, Flag, Flags, Positional } from "./command.ts";
import { UsageError } from "./usage-error.ts";

export interface ParsedArguments {
  flags: Record<string, boolean | string | string[] | undefined>;
  positionals: Record<string, string | string[] | undefined>;
}

/** Every command has this flag. */
export const HELP_FLAG: Flag = { type: "boolean", short: "h", summary: "print this help" };

/** The flags of a command, including `--help`. */
export function allFlags({ flags }: Pick<CommandInfo, "flags">): Flags {
  return { ...flags, help: HELP_FLAG };
}

type Declared = Pick<CommandInfo, "name" | "flags" | "positionals" | "passedOnTo">;

/** @throws {UsageError} */
export function parseArguments(command: Declared, argv: readonly string[]): ParsedArguments | "help" {
  const flags = allFlags(command);
  const isPassedOn = command.passedOnTo !== undefined;
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { type, short }]) => [name, { type, ...(short !== undefined && { short }) }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  // Show the help even if the rest of the command line is wrong.
  if (tokens.some((token) => token.kind === "option" && token.name === "help")) return "help";

  const values: ParsedArguments["flags"] = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [name, initialValue(flag)]),
  );
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      words.push(token.value);
      continue;
    }
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    if (flag === undefined) {
      if (isPassedOn) continue;
      throw unknownFlag(command, token.rawName);
    }
    const inline = token.inlineValue === true ? token.value : undefined;
    if (flag.type === "boolean") {
      if (inline !== undefined && !isPassedOn) throw new UsageError(`the flag "${token.rawName}" takes no value.`);
      values[token.name] = inline !== "false";
      continue;
    }
    // A flag after a flag is the next flag, not a value; and `-c=x` means `-c x`.
    const isNext = token.inlineValue === false && token.value.startsWith("-") && token.value !== "-";
    const isShort = !token.rawName.startsWith("--");
    const value = isNext ? undefined : isShort ? token.value?.replace(/^=/, "") : token.value;
    if (value === undefined || (value === "" && !flag.mayBeEmpty)) {
      throw new UsageError(`the flag "${token.rawName}" requires a value: ${token.rawName} ${flag.value}.`);
    }
    checkChoice(value, { ...flag, what: `"${token.rawName}"` });
    const given = values[token.name];
    if (Array.isArray(given)) given.push(value);
    else if (given === undefined) values[token.name] = value;
    else throw new UsageError(`the flag "${token.rawName}" is given twice.`);
  }
  delete values["help"];
  return { flags: values, positionals: assign(command.positionals, isPassedOn ? [] : words) };
}

function initialValue(flag: Flag): boolean | string[] | undefined {
  if (flag.type === "boolean") return false;
  return flag.isRepeated ? [] : undefined;
}

function unknownFlag(command: Declared, given: string): UsageError {
  const flags = allFlags(command);
  const bare = given.replace(/^-+/, "");
  // A single letter is similar to every other one.
  const meant = bare.length > 1 ? didYouMean(bare, Object.keys(flags)) : undefined;
  const hint =
    meant === undefined
      ? `Type "miniflare-vpc ${command.name} --help" to see its flags.`
      : `Did you mean "--${meant}"?`;
  return new UsageError(`there is no flag ${JSON.stringify(given)}. ${hint}`);
}

function checkChoice(value: string, { choices, what }: { choices?: readonly string[]; what: string }): void {
  if (choices === undefined || choices.includes(value)) return;
  const meant = didYouMean(value, choices);
  const hint = meant === undefined ? `Valid values: ${choices.join(", ")}.` : `Did you mean ${JSON.stringify(meant)}?`;
  throw new UsageError(`${what} can't be ${JSON.stringify(value)}. ${hint}`);
}

function assign(positionals: readonly Positional[], words: readonly string[]): ParsedArguments["positionals"] {
  const values: ParsedArguments["positionals"] = {};
  let next = 0;
  for (const positional of positionals) {
    const taken = positional.isRepeated ? words.slice(next) : words.slice(next, next + 1);
    next += taken.length;
    if (taken.length === 0 && !positional.isOptional) {
      throw new UsageError(`<${positional.name}> is missing: ${positional.summary}.`);
    }
    for (const word of taken) checkChoice(word, { ...positional, what: `<${positional.name}>` });
    values[positional.name] = positional.isRepeated ? taken : taken[0];
  }
  const surplus = words[next];
  if (surplus !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(surplus)}.`);
  return values;
}
