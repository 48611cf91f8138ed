/**
 * The user's own wrangler as a child process: found, checked, started on the same terminal, ended
 * with the same signals. Knows nothing of VPC bindings.
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { hasCode } from "../error.ts";
import { DEV_PID, endOrphans } from "./end-orphans.ts";

/** How a process ended. */
export type Exit = number | NodeJS.Signals;

export type WranglerLookup = { type: "found"; bin: string } | { type: "missing"; reason: string };

/** The plugin interface this package is written for. */
const MINIFLARE_MAJOR = "5";
const INSTALL = "    npm install --save-dev wrangler@latest";

/** @param folders where to look from, the most specific first */
export function findWrangler(folders: readonly string[]): WranglerLookup {
  for (const folder of folders) {
    const manifestFile = resolveFrom(folder, "wrangler/package.json");
    if (manifestFile === undefined) continue;
    const manifest: WranglerManifest = JSON.parse(readFileSync(manifestFile, "utf8"));
    const miniflare = manifest.dependencies?.["miniflare"] ?? "";
    if (/\d+/.exec(miniflare)?.[0] !== MINIFLARE_MAJOR) {
      const reason = `wrangler ${manifest.version} in ${path.dirname(manifestFile)} carries Miniflare ${miniflare}; version ${MINIFLARE_MAJOR} is needed. Type:\n${INSTALL}`;
      return { type: "missing", reason };
    }
    return { type: "found", bin: path.join(path.dirname(manifestFile), manifest.bin.wrangler) };
  }
  return {
    type: "missing",
    reason: `wrangler is not installed in ${[...new Set(folders)].join(" or ")}. Type:\n${INSTALL}`,
  };
}

interface WranglerManifest {
  version: string;
  bin: { wrangler: string };
  dependencies?: Record<string, string>;
}

function resolveFrom(folder: string, request: string): string | undefined {
  try {
    return createRequire(path.join(folder, "from-here.js")).resolve(request);
  } catch (error) {
    if (hasCode(error, "MODULE_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Milliseconds. */
const INTERRUPT_GRACE = 1000;

/**
 * Resolves when wrangler is gone, its clean-up included. Until then this process ignores the signals
 * that end it, and passes them on.
 */
export async function runWrangler(bin: string, args: readonly string[]): Promise<Exit> {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: "inherit",
    env: { WRANGLER_DISABLE_EXPERIMENTAL_WARNING: "1", ...process.env, [DEV_PID]: String(process.pid) },
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  let isHungUp = false;
  const passOn = (signal: NodeJS.Signals): void => {
    // A terminal's ctrl-C reaches wrangler too; a second one would interrupt its clean-up.
    const isFromTerminal = signal === "SIGINT" && process.stdin.isTTY;
    isHungUp ||= signal === "SIGHUP";
    // wrangler's launcher dies of a SIGHUP without a word to the process it launched.
    const passed = signal === "SIGHUP" ? "SIGTERM" : signal;
    setTimeout(() => child.kill(passed), isFromTerminal ? INTERRUPT_GRACE : 0).unref();
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
    await endOrphans();
    return exit;
  } finally {
    for (const signal of signals) process.off(signal, passOn);
    process.off("exit", endChild);
  }
}
