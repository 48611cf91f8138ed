/**
 * The generated configs on disk. They are written atomically, removed however the process ends, and hidden from
 * git. The files of an earlier process that was killed are removed too.
 */

import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { isMainThread } from "node:worker_threads";

import type { Diagnostic } from "../diagnostics.ts";
import { hasCode, messageOf } from "../system/error.ts";
import { isRunning } from "../system/is-running.ts";
import { retryWhileLocked } from "../system/locked-files.ts";
import { SIBLING_PATTERN, siblingName, siblingPid, unfinished } from "./sibling.ts";

export class SiblingFiles implements Disposable {
  /** The last written content of each file; undefined while it is being written. */
  readonly #written = new Map<string, string | undefined>();
  readonly #exit = (): void => this.#removeAll();

  constructor() {
    // Also reached after an uncaught error.
    process.on("exit", this.#exit);
    // Node remembers this path, even if the folder is renamed later.
    process.cwd();
  }

  /**
   * Writes a file only if its content changed, because wrangler restarts the Worker after each write.
   *
   * @param position the config's position among those of the session
   * @returns the sibling's absolute path
   */
  write(configFile: string, position: number, content: string): string | Diagnostic {
    const folder = path.dirname(configFile);
    const file = path.join(folder, siblingName(process.pid, position));
    if (this.#written.get(file) === content && existsSync(file)) return file;
    try {
      if (!this.#written.has(file)) {
        // Removes files that a killed process left behind.
        sweep(folder, (pid) => !isRunning(pid));
        excludeFromGit(folder);
      }
      this.#written.set(file, undefined);
      // The user's own file may be private, and holds its "vars".
      writeFileSync(unfinished(file), content, { mode: 0o600 });
      retryWhileLocked(() => renameSync(unfinished(file), file));
      this.#written.set(file, content);
      return file;
    } catch (error) {
      return {
        severity: "error",
        code: "folder-not-writable",
        text: `can't write a file in this folder: ${messageOf(error)}`,
        file: folder,
        notes: [
          `While it runs, miniflare-vpc dev keeps a generated config beside ${path.basename(configFile)}, so that relative paths and .dev.vars keep their meaning.`,
          "Make the folder writable, or work on a copy of it.",
        ],
      };
    }
  }

  /** Never throws. A file that can't be removed is named, and tried again when the process ends. */
  [Symbol.dispose](): void {
    for (const file of this.#written.keys()) {
      try {
        remove(fromHere(file));
        remove(fromHere(unfinished(file)));
        this.#written.delete(file);
      } catch (error) {
        console.warn(
          `miniflare-vpc: can't remove the generated config ${file}: ${messageOf(error)}. Delete it: it holds the "vars" of your own.`,
        );
      }
    }
    if (this.#written.size === 0) process.off("exit", this.#exit);
  }

  /** When the process ends, also removes the files of threads that ended before they could remove them. */
  #removeAll(): void {
    const folders = new Set(isMainThread ? [...this.#written.keys()].map((file) => path.dirname(file)) : []);
    this[Symbol.dispose]();
    for (const folder of folders)
      if (existsSync(fromHere(folder))) sweep(fromHere(folder), (pid) => pid === process.pid);
  }
}

/** The path relative to the folder that the process started in, because that folder may have been renamed. */
function fromHere(file: string): string {
  return path.relative(process.cwd(), file) || ".";
}

function remove(file: string): void {
  retryWhileLocked(() => rmSync(file, { force: true }));
}

/** Never throws. A file that can't be removed stays for the next one. @param isOver whether the files of the process with this id are no longer needed */
function sweep(folder: string, isOver: (pid: number) => boolean): void {
  for (const name of namesIn(folder)) {
    const pid = siblingPid(name);
    if (pid === undefined || !isOver(pid)) continue;
    try {
      rmSync(path.join(folder, name), { force: true });
    } catch {
      // Another program holds it, or another user owns it.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Writing to the folder reports what is wrong with it.
    return [];
  }
}

/** Adds a line to the repository's private ignore list, if there is a repository. */
function excludeFromGit(folder: string): void {
  const git = spawnSync("git", ["rev-parse", "--git-path", "info/exclude"], { cwd: folder, encoding: "utf8" });
  if (git.status !== 0) return;
  const file = path.resolve(folder, git.stdout.trim());
  try {
    const content = readIfPresent(file);
    if (content.split(/\r?\n/).includes(SIBLING_PATTERN)) return;
    mkdirSync(path.dirname(file), { recursive: true });
    appendFileSync(file, `${content === "" || content.endsWith("\n") ? "" : "\n"}${SIBLING_PATTERN}\n`);
  } catch (error) {
    console.warn(`miniflare-vpc: git will list ${SIBLING_PATTERN} while this runs: ${messageOf(error)}`);
  }
}

function readIfPresent(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "";
    throw error;
  }
}
