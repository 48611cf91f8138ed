/** A project in a temporary folder, with the user's wrangler and this package installed beside it. */

import { globSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const REPOSITORY: string = path.resolve(import.meta.dirname, "../..");

export interface Project extends Disposable {
  folder: string;
  /** Writes a file as JSON, or as it is when it is text. */
  write(name: string, content: string | object): void;
  /** Everything a `miniflare-vpc dev` generated and did not remove. */
  leftovers(): string[];
  /** Makes `miniflare-vpc` resolvable from the project. */
  install(): void;
}

/** @param files name to content */
export function createProject(files: Record<string, string | object>): Project {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "miniflare-vpc-")));
  const write = (name: string, content: string | object): void => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content, undefined, 2));
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  mkdirSync(path.join(folder, "node_modules"));
  symlinkSync(path.join(REPOSITORY, "node_modules/wrangler"), path.join(folder, "node_modules/wrangler"));
  return {
    folder,
    write,
    leftovers: () => globSync("**/.wrangler-vpc-*", { cwd: folder, exclude: (name) => name === "node_modules" }),
    install: () => symlinkSync(REPOSITORY, path.join(folder, "node_modules/miniflare-vpc")),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Keeps wrangler off the network, and away from this user's settings and running Workers. */
export function quietEnvironment(folder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: folder,
    XDG_CONFIG_HOME: path.join(folder, ".config"),
    NO_COLOR: "1",
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    // As an installed miniflare would find it; here the real one lies in this repository.
    NODE_PATH: path.join(folder, "node_modules"),
  };
}
