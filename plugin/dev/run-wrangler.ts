/**
 * Runs the user's own wrangler as a child process on the same terminal, with the same signals. Knows nothing about VPC
 * bindings.
 */

import { spawn } from "node:child_process";
import { constants } from "node:os";

import { DEV_PID } from "../miniflare/follow-dev.ts";
import { compileCacheBeside } from "./compile-cache.ts";
import { endOrphans } from "./end-orphans.ts";

/** How a process ended. */
export type Exit = number | NodeJS.Signals;

/** Milliseconds. */
const INTERRUPT_GRACE = 1000;

/**
 * The signals that would end this process, and what wrangler is sent instead. wrangler's launcher exits on SIGHUP without
 * passing it on to the process it launched. Windows sends SIGBREAK for ctrl-Break and SIGHUP for a closed console, but no
 * process can send them there.
 */
const PASSED_AS = { SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGTERM", SIGBREAK: "SIGINT" } as const;
type PassedSignal = keyof typeof PASSED_AS;

/**
 * Resolves when wrangler has exited and cleaned up. Until then this process ignores the signals that would
 * end it, and passes them on.
 */
export async function runWrangler(bin: string, args: readonly string[]): Promise<Exit> {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: "inherit",
    env: {
      WRANGLER_DISABLE_EXPERIMENTAL_WARNING: "1",
      ...compileCacheBeside(bin),
      ...process.env,
      [DEV_PID]: String(process.pid),
    },
  });
  const signals = Object.keys(PASSED_AS) as PassedSignal[];
  let isHungUp = false;
  let isToldToEnd = false;
  const passOn = (signal: PassedSignal): void => {
    // A terminal's ctrl-C reaches wrangler too; a second one would interrupt its clean-up.
    const isFromTerminal = PASSED_AS[signal] === "SIGINT" && process.stdin.isTTY;
    isHungUp ||= signal === "SIGHUP";
    isToldToEnd = true;
    setTimeout(() => child.kill(PASSED_AS[signal]), isFromTerminal ? INTERRUPT_GRACE : 0).unref();
  };
  const endChild = (): void => {
    child.kill();
  };
  for (const signal of signals) process.on(signal, passOn);
  process.on("exit", endChild);
  try {
    const exit = await new Promise<Exit>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(isHungUp ? "SIGHUP" : (code ?? signal ?? 1)));
    });
    const signal = signalOf(exit);
    if (signal !== undefined && !isToldToEnd) console.error(`miniflare-vpc: wrangler was ended by ${signal}.`);
    await endOrphans();
    return exit;
  } finally {
    for (const signal of signals) process.off(signal, passOn);
    process.off("exit", endChild);
  }
}

/** Like a shell, a launcher exits with 128 plus the number of the signal that ended the process it launched. */
function signalOf(exit: Exit): string | undefined {
  if (typeof exit === "string") return exit;
  return Object.entries(constants.signals).find(([, number]) => exit === 128 + number)?.[0];
}
