/** Finds the wrangler of the user's project, and checks that it is new enough. Runs nothing. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { findPackage, isTooOld } from "../miniflare/old-miniflare.ts";
import { hasCode } from "../system/error.ts";

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
