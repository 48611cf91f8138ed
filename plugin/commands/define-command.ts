import type { Exit } from "../dev/run-wrangler.ts";
import {
  type CommandCall,
  type Command,
  type CommandInfo,
  FINE,
  type Flags,
  type Positional,
  USAGE_ERROR,
} from "./command.ts";
import { formatHelp } from "./help.ts";
import { parseArguments } from "./parse-arguments.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Gives a declared command its behaviour: argument parsing, `--help` and usage errors. */
export function defineCommand<const F extends Flags, const P extends readonly Positional[]>(
  declared: Omit<CommandInfo, "flags" | "positionals"> & {
    flags: F;
    positionals: P;
    /** @throws {UsageError} for mistakes that only the command itself can find */
    run(call: CommandCall<F, P>, terminal: Terminal): Promise<Exit>;
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
        // Safe, because `parseArguments` uses the same declaration.
        return await declared.run({ ...parsed, argv } as CommandCall<F, P>, terminal);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        terminal.printError(`miniflare-vpc ${declared.name}: ${error.message}`);
        return USAGE_ERROR;
      }
    },
  };
}
