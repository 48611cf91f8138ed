/**
 * Finds the user's own wrangler, checks its version and runs it as a child process on the same terminal,
 * with the same signals. Knows nothing about VPC bindings.
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import path from "node:path";

import { hasCode } from "../system/error.ts";
import { findPackage, isTooOld } from "../miniflare/old-miniflare.ts";
import { DEV_PID } from "../miniflare/follow-dev.ts";
import { compileCacheBeside } from "./compile-cache.ts";
import { endOrphans } from "./end-orphans.ts";

/** How a process ended. */
export type Exit = number | NodeJS.Signals;

export type WranglerLookup = { type: "found"; bin: string } | { type: "missing" | "old"; reason: string };

const INSTALL = "    npm install --save-dev wrangler@latest";

/** @param folders the folders to search from, the most specific first */
export function findWrangler(folders: readonly string[]): WranglerLookup {
  for (const folder of folders) {
    const manifestFile = findManifest(folder);
    if (manifestFile === undefined) continue;
    if (path.sep === "/" && manifestFile.includes("\\"))
      return { type: "missing", reason: describeBackslash(manifestFile) };
    const manifest: WranglerManifest = JSON.parse(readFileSync(manifestFile, "utf8"));
    const miniflare = manifest.dependencies?.["miniflare"] ?? "";
    if (isTooOld(miniflare)) {
      const reason = `wrangler ${manifest.version} in ${path.dirname(manifestFile)} contains Miniflare ${miniflare}, which can't load this plugin. miniflare-vpc requires wrangler 4.120.1 or newer. Run:\n${INSTALL}`;
      return { type: "old", reason };
    }
    return { type: "found", bin: path.join(path.dirname(manifestFile), manifest.bin.wrangler) };
  }
  return {
    type: "missing",
    reason: `wrangler is not installed in ${[...new Set(folders)].join(" or ")}. Run:\n${INSTALL}`,
  };
}

interface WranglerManifest {
  version: string;
  bin: { wrangler: string };
  dependencies?: Record<string, string>;
}

function describeBackslash(manifestFile: string): string {
  return `wrangler can't run from ${path.dirname(manifestFile)}: Node.js can't load a package from a path with a backslash. Rename the folder.`;
}

/** @returns the real path of the `package.json` of the wrangler that a module in `folder` finds */
function findManifest(folder: string): string | undefined {
  try {
    return createRequire(path.join(folder, "from-here.js")).resolve("wrangler/package.json");
  } catch (error) {
    if (hasCode(error, "MODULE_NOT_FOUND")) return undefined;
    // The folder's path has a backslash, which Node refuses even if the folder is a link to another place.
    if (!hasCode(error, "ERR_INVALID_MODULE_SPECIFIER")) throw error;
    const found = findPackage("wrangler", folder);
    return found && path.join(found, "package.json");
  }
}

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
