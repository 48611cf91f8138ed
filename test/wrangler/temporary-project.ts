/** A project in a temporary folder, with the user's wrangler and this package installed beside it. */

import { globSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const REPOSITORY: string = path.resolve(import.meta.dirname, "../..");

export interface TemporaryProject extends Disposable {
  folder: string;
  /** Writes text as it is, and an object as JSON. */
  write(name: string, content: string | object): void;
  /** The files that `miniflare-vpc dev` generated and did not remove. */
  leftovers(): string[];
  /** Makes `miniflare-vpc` resolvable from the project. */
  install(): void;
}

/**
 * @param files name to content
 * @param prefix of the folder's name
 */
export function createProject(files: Record<string, string | object>, prefix = "miniflare-vpc-"): TemporaryProject {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), prefix)));
  const write = (name: string, content: string | object): void => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  mkdirSync(path.join(folder, "node_modules"));
  linkFolder(path.join(REPOSITORY, "node_modules/wrangler"), path.join(folder, "node_modules/wrangler"));
  return {
    folder,
    write,
    leftovers: () => globSync("**/.wrangler-vpc-*", { cwd: folder, exclude: (name) => name === "node_modules" }),
    install: () => linkFolder(REPOSITORY, path.join(folder, "node_modules/miniflare-vpc")),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** @param target an absolute path */
export function linkFolder(target: string, link: string): void {
  // On Windows, everyone may make a junction; a symbolic link needs a privilege.
  symlinkSync(target, link, "junction");
}

/** Keeps wrangler off the network, and away from this user's settings and running Workers. */
export function quietEnvironment(folder: string): NodeJS.ProcessEnv {
  const kept = ["PATH", "TMPDIR", "TEMP", "TMP"].map((name) => [name, process.env[name]]);
  return {
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
    HOME: folder,
    USERPROFILE: folder,
    APPDATA: path.join(folder, "AppData", "Roaming"),
    LOCALAPPDATA: path.join(folder, "AppData", "Local"),
    XDG_CONFIG_HOME: path.join(folder, ".config"),
    NO_COLOR: "1",
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    // An installed miniflare would find the package here. The tests' miniflare lies in this repository.
    NODE_PATH: path.join(folder, "node_modules"),
  };
}
