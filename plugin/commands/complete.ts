/**
 * Finds what a shell can offer for the word that is being typed. The scripts of `completion` call it:
 *
 *   miniflare-vpc __complete -- WORD… ──▶ one line for each offer: the word, a tab, its meaning
 */

import { environmentsIn, readEnvironment, readProject } from "./read-project.ts";
import type { CommandInfo, Completes, Flag, Positional } from "./command.ts";
import { allFlags } from "./parse-arguments.ts";
import { KIND_NAMES } from "./explain-text.ts";
import { UsageError } from "./usage-error.ts";

/** Hidden: only scripts call it. */
export const COMPLETE = "__complete";

/** In place of `--`: the word that is being typed has a character in front, because some shells drop an empty word. */
export const PREFIXED = "--prefixed";

/** Tells the shell to complete file names itself. */
const FILES = ":files";

export interface Offer {
  word: string;
  summary: string;
}

export function formatOffers(offers: readonly Offer[] | "files"): string {
  if (offers === "files") return FILES;
  return offers.map(({ word, summary }) => `${word}\t${summary}`).join("\n");
}

interface CompleteOptions {
  commands: readonly CommandInfo[];
  cwd: string;
}

/** @param argv what a script passes to `__complete` */
export function wordsFrom([form, ...words]: readonly string[]): string[] {
  return form === PREFIXED ? [...words.slice(0, -1), words.at(-1)?.slice(1) ?? ""] : words;
}

/** @param words the words after the program's name; the last one is being typed, and can be empty */
export function completeWords(words: readonly string[], { commands, cwd }: CompleteOptions): Offer[] | "files" {
  const [name = "", ...typed] = joinEquals(words);
  const names = commands.map(({ name: word, summary }) => ({ word, summary }));
  const current = typed.at(-1);
  if (current === undefined) {
    const general = [
      { word: "--help", summary: "print this help" },
      { word: "--version", summary: "print the version" },
    ];
    return startingWith(name, name.startsWith("-") ? general : names);
  }
  if (name === "help") return startingWith(current, names);
  const command = commands.find((each) => each.name === name);
  if (command === undefined) return [];
  return completeArgument(command, { earlier: typed.slice(0, -1), current, cwd });
}

/** Joins `--flag=value` again, which bash splits at the `=`. */
function joinEquals(words: readonly string[]): string[] {
  const isSign = (index: number): boolean => words[index] === "=" && words[index - 1]?.startsWith("--") === true;
  const joined = words.filter((_, index) => !isSign(index));
  return isSign(words.length - 1) ? [...joined, ""] : joined;
}

function completeArgument(
  command: CommandInfo,
  { earlier, current, cwd }: { earlier: readonly string[]; current: string; cwd: string },
): Offer[] | "files" {
  const flags = allFlags(command);
  const given = readEarlier(flags, earlier);
  const offer = (value: Flag | Positional, start: string): Offer[] | "files" => {
    const offers = offersFor(value, { configs: given.configs, cwd });
    return offers === "files" ? offers : startingWith(start, offers);
  };
  if (given.open !== undefined) return offer(given.open, current);
  const [, inlineName, start] = /^--([^=]+)=(.*)$/s.exec(current) ?? [];
  if (inlineName !== undefined && start !== undefined) {
    const flag = flags[inlineName];
    const offers = flag === undefined ? [] : offer(flag, start);
    if (offers === "files") return offers;
    return offers.map(({ word, summary }) => ({ word: `--${inlineName}=${word}`, summary }));
  }
  if (current.startsWith("-")) {
    const left = Object.entries(flags).filter(([name, flag]) => isRepeatable(flag) || !given.names.has(name));
    return startingWith(
      current,
      left.map(([name, { summary }]) => ({ word: `--${name}`, summary })),
    );
  }
  const last = command.positionals.at(-1);
  const positional = command.positionals[given.positionals] ?? (last?.isRepeated ? last : undefined);
  if (positional !== undefined) return offer(positional, current);
  return command.passedOnTo === undefined ? [] : "files";
}

interface Earlier {
  names: Set<string>;
  configs: string[];
  /** The number of positionals before the current word. */
  positionals: number;
  /** The flag whose value comes next. */
  open: Flag | undefined;
}

function readEarlier(flags: Record<string, Flag>, words: readonly string[]): Earlier {
  const earlier: Earlier = { names: new Set(), configs: [], positionals: 0, open: undefined };
  let openName = "";
  for (const word of words) {
    if (earlier.open !== undefined) {
      if (openName === "config") earlier.configs.push(word);
      earlier.open = undefined;
      continue;
    }
    if (!word.startsWith("-") || word === "-") {
      earlier.positionals++;
      continue;
    }
    const [written = "", value] = word.replace(/^--?/, "").split("=", 2);
    const [name, flag] = Object.entries(flags).find(([each, { short }]) => [each, short].includes(written)) ?? [];
    if (name === undefined) continue;
    earlier.names.add(name);
    if (flag?.type !== "string") continue;
    if (value === undefined) {
      earlier.open = flag;
      openName = name;
    } else if (name === "config") {
      earlier.configs.push(value);
    }
  }
  return earlier;
}

function isRepeatable(flag: Flag): boolean {
  return flag.type === "string" && flag.isRepeated === true;
}

function offersFor(
  value: Flag | Positional,
  { configs, cwd }: { configs: readonly string[]; cwd: string },
): Offer[] | "files" {
  if ("type" in value && value.type === "boolean") return [];
  if (value.choices !== undefined) return value.choices.map((word) => ({ word, summary: "" }));
  if (value.completes === undefined) return [];
  if (value.completes === "file") return "files";
  return namesIn(value.completes, { configs, cwd });
}

/** Names from the wrangler configs, or none if no config can be read. */
function namesIn(
  completes: Exclude<Completes, "file">,
  { configs, cwd }: { configs: readonly string[]; cwd: string },
): Offer[] {
  let project;
  try {
    project = readProject({ configs, cwd, isQuick: true });
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
  if (completes === "environment") {
    return environmentsIn(project).map((word) => ({ word, summary: "environment" }));
  }
  const workers = project.environments.flatMap((env) => readEnvironment(project, env).workers);
  const names =
    completes === "worker"
      ? workers.map(({ workerName }) => [workerName, "Worker"] as const)
      : workers.flatMap(({ bindings }) =>
          bindings.map(({ bindingName, bindingType }) => [bindingName, KIND_NAMES[bindingType]] as const),
        );
  return [...new Map(names)].map(([word, summary]) => ({ word, summary }));
}

function startingWith(start: string, offers: readonly Offer[]): Offer[] {
  return offers.filter(({ word }) => word.startsWith(start));
}
