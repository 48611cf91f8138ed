/**
 * Formats the usage of the whole command line and of one command. Everything comes from the declarations.
 */

import type { CommandInfo, Flag, Positional } from "./command.ts";
import { allFlags } from "./parse-arguments.ts";

const INDENT = "    ";

/** The usage of `miniflare-vpc` itself. */
export function formatUsage(commands: readonly CommandInfo[]): string {
  return `miniflare-vpc <command> [arguments]

${formatRows(commands.map(({ name, summary }) => [name, summary]))}

    miniflare-vpc <command> --help
    miniflare-vpc --version

Use wrangler for everything else. wrangler deploy uploads the same as before.

Exit codes: 0 no problem, 1 a problem, 2 the command line is invalid or there is no wrangler config;
dev ends with wrangler's exit code.`;
}

export function formatHelp(command: CommandInfo): string {
  const { name, description, positionals, examples, exitCodes, passedOnTo } = command;
  const call = `miniflare-vpc ${name}`;
  const flags = Object.entries(allFlags(command));
  const sections: [title: string, rows: [string, string][]][] = [
    ["Arguments:", positionals.map((positional) => [`<${positional.name}>`, positional.summary])],
    ["Flags:", flags.map(([flagName, flag]) => [formatFlag(flagName, flag), describeFlag(flag)])],
    ["Examples:", examples.map(({ args, summary }) => [`${call} ${args}`.trimEnd(), summary])],
    ["Exit codes:", Object.entries(exitCodes)],
  ];
  return [
    [
      call,
      ...positionals.map(formatPositional),
      "[flags]",
      ...(passedOnTo === undefined ? [] : [`[arguments of ${passedOnTo}]`]),
    ].join(" "),
    description,
    ...sections.filter(([, rows]) => rows.length > 0).map(([title, rows]) => `${title}\n${formatRows(rows)}`),
  ].join("\n\n");
}

function formatPositional({ name, isOptional, isRepeated }: Positional): string {
  const one = isRepeated ? `<${name}…>` : `<${name}>`;
  return isOptional ? `[${one}]` : one;
}

/** `-c, --config FILE` */
function formatFlag(name: string, flag: Flag): string {
  const short = flag.short === undefined ? INDENT : `-${flag.short}, `;
  const value = flag.value === undefined ? "" : flag.type === "string" ? ` ${flag.value}` : ` [${flag.value}]`;
  return `${short}--${name}${value}`;
}

function describeFlag(flag: Flag): string {
  return flag.type === "string" && flag.choices !== undefined
    ? `${flag.summary}: ${flag.choices.join(", ")}`
    : flag.summary;
}

/** Two columns. */
export function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${INDENT}${left.padEnd(width)}  ${right}`).join("\n");
}
