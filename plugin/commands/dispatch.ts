/**
 * Finds the command that a command line names, and runs it. Handles what belongs to no command: usage, version,
 * unknown names.
 */

import { didYouMean } from "../diagnostics.ts";
import type { Exit } from "../dev/run-wrangler.ts";
import { type Command, FINE, USAGE_ERROR } from "./command.ts";
import { COMPLETE, completeWords, formatOffers, wordsFrom } from "./complete.ts";
import { formatUsage } from "./help.ts";
import type { Terminal } from "./terminal.ts";

export interface CommandLine {
  commands: readonly Command[];
  version: string;
}

export async function runCommandLine(
  [name, ...argv]: readonly string[],
  { commands, version }: CommandLine,
  terminal: Terminal,
): Promise<Exit> {
  const find = (wanted: string): Command | undefined => commands.find((command) => command.name === wanted);
  switch (name) {
    case undefined:
      terminal.printError(formatUsage(commands));
      return USAGE_ERROR;
    case "--help":
    case "-h":
    case "help": {
      const [asked] = argv;
      if (asked === undefined) {
        terminal.print(formatUsage(commands));
        return FINE;
      }
      return (await find(asked)?.run(["--help"], terminal)) ?? refuse(asked, commands, terminal);
    }
    case COMPLETE:
      terminal.print(formatOffers(completeWords(wordsFrom(argv), { commands, cwd: terminal.cwd })));
      return FINE;
    case "--version":
    case "-v":
      terminal.print(version);
      return FINE;
    default:
      return (await find(name)?.run(argv, terminal)) ?? refuse(name, commands, terminal);
  }
}

function refuse(name: string, commands: readonly Command[], terminal: Terminal): Exit {
  const isFlag = name.startsWith("-");
  const known = isFlag ? ["--help", "--version"] : commands.map((command) => command.name);
  const meant = didYouMean(name, known);
  const hint = meant === undefined ? `\n\n${formatUsage(commands)}` : ` Did you mean "miniflare-vpc ${meant}"?`;
  terminal.printError(`miniflare-vpc: there is no ${isFlag ? "flag" : "command"} ${JSON.stringify(name)}.${hint}`);
  return USAGE_ERROR;
}
