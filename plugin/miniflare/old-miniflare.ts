/**
 * Recognizes and reports a Miniflare that can't load the plugin. Miniflare's plugins got their current form
 * during the alphas of version 5; `latest` on npm may still be 4.x.
 */

import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { hasCode } from "../system/error.ts";

/** @param which Miniflare, in words */
export function oldMiniflare(which: string): string {
  return `miniflare-vpc: ${which} is too old to load the plugin. Install at least one of these versions:
    wrangler 4.120.1, @cloudflare/vitest-plugin 1.0.0, @cloudflare/vitest-pool-workers 0.21.0, @cloudflare/vite-plugin 1.51.2
If you use miniflare itself, install at least 5.20260804.0-alpha, with the full version: miniflare@latest may still be 4.x.`;
}

/** The first version that can load the plugin. Its minor version is its date. */
const FIRST = [5, 20_260_804] as const;

/** @param version a version of Miniflare, or the range that a package pins; anything else counts as new enough */
export function isTooOld(version: string): boolean {
  const [, major, minor] = /^\D*(\d+)\.(\d+)\./.exec(version) ?? [];
  if (major === undefined) return false;
  return Number(major) < FIRST[0] || (Number(major) === FIRST[0] && Number(minor) < FIRST[1]);
}

/** @returns a message if the Miniflare that a module in this folder imports is too old */
export function oldMiniflareIn(folder: string): string | undefined {
  let manifest: { version: string };
  try {
    manifest = createRequire(path.join(folder, "from-here.js"))("miniflare/package.json");
  } catch (error) {
    if (hasCode(error, "MODULE_NOT_FOUND", "ERR_PACKAGE_PATH_NOT_EXPORTED", "ERR_INVALID_MODULE_SPECIFIER"))
      return undefined;
    throw error;
  }
  return isTooOld(manifest.version) ? oldMiniflare(`miniflare ${manifest.version} in ${folder}`) : undefined;
}

/** @returns the real folder of the package that a module in `folder` finds, even if its `exports` hide its files */
export function findPackage(packageName: string, folder: string): string | undefined {
  const modules = createRequire(path.join(folder, "from-here.js")).resolve.paths(packageName) ?? [];
  const installed = modules.map((each) => path.join(each, packageName)).find((each) => existsSync(each));
  return installed === undefined ? undefined : realpathSync(installed);
}

/**
 * For hosts that start their own Miniflare. A very old one doesn't load the plugin at all, so nothing else would
 * report why the bindings fail.
 *
 * @param packageNames the possible hosts; one that is new enough is sufficient
 * @throws {Error} if none of the installed hosts has a Miniflare that can load the plugin
 */
export function refuseOldHost(packageNames: readonly string[], folders: readonly string[]): void {
  const hosts = packageNames.flatMap((packageName) => {
    const host = folders.map((folder) => findPackage(packageName, folder)).find((found) => found !== undefined);
    return host === undefined ? [] : [host];
  });
  const reasons = hosts.map(oldMiniflareIn);
  const [first] = reasons;
  if (first !== undefined && !reasons.includes(undefined)) throw new Error(first);
}
