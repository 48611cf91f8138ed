/**
 * The generated configs on disk: written atomically, removed on every way out, kept out of git's
 * sight, and swept when an earlier process was killed before it could remove its own.
 */

import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { hasCode, messageOf } from "../error.ts";
import { isRunning } from "../is-running.ts";
import { SIBLING_PATTERN, siblingName, siblingPid, unfinished } from "./sibling.ts";

export class SiblingFiles implements Disposable {
  /** File to content, as last written; undefined while it is being written. */
  readonly #written = new Map<string, string | undefined>();
  readonly #remove = (): void => this[Symbol.dispose]();

  constructor() {
    // Also reached after an uncaught error.
    process.on("exit", this.#remove);
  }

  /**
   * Writes only what changed, for wrangler restarts the Worker whenever the file does.
   *
   * @param position of the config among those of the session
   * @returns the sibling's absolute path
   */
  write(configFile: string, position: number, content: string): string | Diagnostic {
    const folder = path.dirname(configFile);
    const file = path.join(folder, siblingName(process.pid, position));
    if (this.#written.get(file) === content) return file;
    try {
      if (!this.#written.has(file)) {
        sweep(folder);
        excludeFromGit(folder);
      }
      this.#written.set(file, undefined);
      // The user's own file may be private, and holds its "vars".
      writeFileSync(unfinished(file), content, { mode: 0o600 });
      renameSync(unfinished(file), file);
      this.#written.set(file, content);
      return file;
    } catch (error) {
      return {
        severity: "error",
        code: "folder-not-writable",
        text: `no file can be written in this folder: ${messageOf(error)}`,
        file: folder,
        notes: [
          `While it runs, miniflare-vpc dev keeps a generated config beside ${path.basename(configFile)}, so that relative paths and .dev.vars stay what they are.`,
          "Make the folder writable, or work on a copy of it.",
        ],
      };
    }
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#remove);
    for (const file of this.#written.keys()) {
      rmSync(file, { force: true });
      rmSync(unfinished(file), { force: true });
    }
    this.#written.clear();
  }
}

/** Removes what processes left behind that are no more. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = siblingPid(name);
    if (pid !== undefined && !isRunning(pid)) rmSync(path.join(folder, name), { force: true });
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
