#!/usr/bin/env node
/**
 * Runs the command line in this process. The commands are in commands/.
 */

import { readFileSync, writeSync } from "node:fs";
import { constants } from "node:os";

import { PROBLEMS } from "./commands/command.ts";
import { commands } from "./commands/commands.ts";
import { runCommandLine } from "./commands/dispatch.ts";
import { claimStdout, processTerminal } from "./commands/terminal.ts";
import type { Exit } from "./dev/run-wrangler.ts";
import { hasCode } from "./system/error.ts";
import { describeOldNode } from "./system/old-node.ts";

interface Manifest {
  version: string;
  engines: { node: string };
}

const manifest: Manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const oldNode = describeOldNode(process.versions.node, manifest.engines.node);
if (oldNode !== undefined) {
  console.error(oldNode);
  process.exit(PROBLEMS);
}

/** Ends at once, because a timer or a server that the user's vpc.config.* left open would keep the process alive. */
async function end(exit: Exit): Promise<void> {
  // A pipe can hold back output, which exiting would lose.
  await new Promise<void>((resolve) => write("", resolve));
  await new Promise((resolve) => process.stderr.write("", resolve));
  isOver = true;
  if (typeof exit === "number") process.exit(exit);
  // On Windows no process ends by a signal, and SIGHUP can't be sent.
  if (process.platform === "win32") process.exit(128 + constants.signals[exit]);
  // wrangler ended by a signal. The shell must see that signal, even if the user's config handles it.
  process.removeAllListeners(exit);
  process.kill(process.pid, exit);
}

const write = claimStdout();
/** Whether the command has a result. A process that ends without one has ended too early. */
let isOver = false;

// If the user's vpc.config.* ends the process before the command has a result, that must not look like success.
process.once("uncaughtExceptionMonitor", () => (isOver = true));
process.once("exit", (code) => {
  if (isOver) return;
  process.exitCode = PROBLEMS;
  const text = `miniflare-vpc: the process ended early, with exit code ${code}: the vpc config, or a module it imports, called process.exit(). Remove that call.`;
  writeSync(process.stderr.fd, `${text}\n`);
});

// `… | head` closes the pipe when it has enough.
process.stdout.on("error", (error) => {
  if (!hasCode(error, "EPIPE")) throw error;
  isOver = true;
  process.exit(0);
});
await end(await runCommandLine(process.argv.slice(2), { commands, version: manifest.version }, processTerminal(write)));
