#!/usr/bin/env node
/**
 * The command line: usage and dispatch. Each command has a file of its own; what none of them is for
 * stays with wrangler.
 */

import { readFileSync } from "node:fs";

import { runDev } from "./dev/dev.ts";
import { didYouMean } from "./diagnostics.ts";
import type { Exit } from "./dev/run-wrangler.ts";

interface Command {
  summary: string;
  /** @param argv what follows the command's name */
  run(argv: readonly string[]): Promise<Exit>;
}

const COMMANDS: Record<string, Command> = {
  dev: { summary: "wrangler dev, with VPC bindings served on this machine", run: runDev },
};

const USAGE_ERROR = 2;

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `    ${name.padEnd(width)}  ${summary}`);
  return `miniflare-vpc <command> [arguments]

${lines.join("\n")}

    miniflare-vpc <command> --help
    miniflare-vpc --version

Everything else stays with wrangler: wrangler deploy uploads the same as ever.

Exit codes: 0 all is well, 1 wrangler or a config can't be used, ${USAGE_ERROR} the command is missing or unknown;
once wrangler runs, its own.`;
}

async function run([name, ...argv]: readonly string[]): Promise<Exit> {
  switch (name) {
    case undefined:
      console.error(usage());
      return USAGE_ERROR;
    case "--help":
    case "-h":
    case "help":
      console.log(usage());
      return 0;
    case "--version":
    case "-v":
      console.log(packageVersion());
      return 0;
    default: {
      const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
      return command === undefined ? refuse(name) : await command.run(argv);
    }
  }
}

function refuse(name: string): Exit {
  const meant = didYouMean(name, Object.keys(COMMANDS));
  const hint = meant === undefined ? `\n\n${usage()}` : ` Did you mean "miniflare-vpc ${meant}"?`;
  console.error(`miniflare-vpc: there is no command ${JSON.stringify(name)}.${hint}`);
  return USAGE_ERROR;
}

function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}

/** At once: a timer or a server that the user's vpc.config.* left open would keep this process. */
function end(exit: Exit): void {
  if (typeof exit === "number") process.exit(exit);
  // Ended by a signal: so shall the shell see it, whatever that config does on signals.
  process.removeAllListeners(exit);
  process.kill(process.pid, exit);
}

end(await run(process.argv.slice(2)));
