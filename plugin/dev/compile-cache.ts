/** Where Node keeps the compiled code of the user's wrangler, so that its next start is faster. */

import path from "node:path";

/**
 * The environment for wrangler. Who may write to the folder may also change wrangler. Node ignores a folder that it can't
 * write to. `NODE_COMPILE_CACHE` and `NODE_DISABLE_COMPILE_CACHE` of the user go first.
 * See https://nodejs.org/api/module.html#module-compile-cache.
 *
 * @param bin the path of wrangler's script
 * @returns nothing if it is in no `node_modules`
 */
export function compileCacheBeside(bin: string): NodeJS.ProcessEnv {
  const folder = `${path.sep}node_modules${path.sep}`;
  const end = bin.lastIndexOf(folder);
  if (end === -1) return {};
  return { NODE_COMPILE_CACHE: path.join(bin.slice(0, end), "node_modules/.cache/miniflare-vpc") };
}
