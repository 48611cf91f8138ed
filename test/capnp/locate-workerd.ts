/**
 * Finds the `workerd` that Miniflare runs. Its schema and its program must have the same version.
 */

import { createRequire } from "node:module";
import path from "node:path";

/** @returns the folder of the package, as Miniflare resolves it */
export function workerdPackage(): string {
  return path.dirname(requireOfMiniflare().resolve("workerd/package.json"));
}

/** @returns the path of the program for this machine */
export function workerdProgram(): string {
  const loaded: unknown = requireOfMiniflare()("workerd");
  if (typeof loaded === "object" && loaded !== null && "default" in loaded && typeof loaded.default === "string") {
    return loaded.default;
  }
  throw new Error('the "workerd" package does not export the path of its program');
}

function requireOfMiniflare(): NodeJS.Require {
  return createRequire(createRequire(import.meta.url).resolve("miniflare"));
}
