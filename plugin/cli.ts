#!/usr/bin/env node
/**
 * The command line, on this process. The commands are in commands/; what none of them is for stays with
 * wrangler.
 */

import { readFileSync } from "node:fs";

import { commands } from "./commands/commands.ts";
import { runCommandLine } from "./commands/dispatch.ts";
import { processTerminal } from "./commands/terminal.ts";
import type { Exit } from "./dev/run-wrangler.ts";
import { hasCode } from "./error.ts";

function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}

/** At once: a timer or a server that the user's vpc.config.* left open would keep this process. */
async function end(exit: Exit): Promise<void> {
  // A pipe may hold output back; exiting would lose it.
  for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write("", resolve));
  if (typeof exit === "number") process.exit(exit);
  // Ended by a signal: so shall the shell see it, whatever that config does on signals.
  process.removeAllListeners(exit);
  process.kill(process.pid, exit);
}

// `… | head` hangs up when it has seen enough.
process.stdout.on("error", (error) => {
  if (!hasCode(error, "EPIPE")) throw error;
  process.exit(0);
});
await end(await runCommandLine(process.argv.slice(2), { commands, version: packageVersion() }, processTerminal()));
