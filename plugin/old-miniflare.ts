/**
 * What to say of a Miniflare that can't load the plugin. Its plugins got their present form in the course of
 * version 5's alphas; `latest` on npm may still be 4.x.
 */

import { createRequire } from "node:module";
import path from "node:path";
import { hasCode } from "./error.ts";

/** @param which Miniflare, in words */
export function oldMiniflare(which: string): string {
  return `miniflare-vpc: ${which} has plugins of another kind, as up to version 4. Needed is one of
    wrangler 4.120.1, @cloudflare/vitest-plugin 1.0.0, @cloudflare/vitest-pool-workers 0.21.0, @cloudflare/vite-plugin 1.51.2
or newer; of miniflare itself 5.20260804.0-alpha or newer, to be named in full: miniflare@latest may still be 4.x.`;
}

/** The first with plugins of the present kind: its minor version is its date. */
const FIRST = [5, 20_260_804] as const;

/** @returns what to say of the Miniflare that a module in this folder imports, if that is too old */
export function oldMiniflareIn(folder: string): string | undefined {
  let manifest: { version: string };
  try {
    manifest = createRequire(path.join(folder, "from-here.js"))("miniflare/package.json");
  } catch (error) {
    if (hasCode(error, "MODULE_NOT_FOUND", "ERR_PACKAGE_PATH_NOT_EXPORTED")) return undefined;
    throw error;
  }
  const [major = 0, minor = 0] = manifest.version.split(".").map(Number);
  const isOld = major < FIRST[0] || (major === FIRST[0] && minor < FIRST[1]);
  return isOld ? oldMiniflare(`miniflare ${manifest.version} in ${folder}`) : undefined;
}
