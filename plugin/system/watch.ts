/**
 * Watches a handful of files, including files and folders that don't exist yet, files behind symbolic links, and files
 * that an editor replaces instead of writing. Never keeps the process alive.
 *
 *   event ──▶ look: is any file another one than before? ──▶ onChange ──▶ the files to watch from now on
 */

import { type FSWatcher, statSync, watch } from "node:fs";
import path from "node:path";
import { toError } from "./error.ts";
import { changedSince, stateOf } from "./file-state.ts";
import { placesOf } from "./places.ts";

/** Milliseconds to wait after a change, because editors write a file in several steps. */
const SETTLE = 15;

/** Milliseconds after a new watch: macOS begins to watch only after `fs.watch` has returned, and says nothing about before. */
const LOOK_AGAIN = [100, 1000];

/** Milliseconds between two looks at files in a folder that the system can't watch. */
const POLL = 1000;

export interface Watch {
  /** Acts as if a file had changed. */
  check(): void;
  close(): void;
}

/**
 * @param onChange called after each burst of changes, even while an earlier call has not settled yet: the later call
 *   wins. Resolves to the files to watch from now on.
 * @param onError called with an error of `onChange`, and if the system can't watch a folder, which is polled then
 */
export function watchFiles(
  files: readonly string[],
  onChange: () => Promise<readonly string[]>,
  onError: (error: Error) => void,
): Watch {
  let watched = files;
  /** By file: as it was before it was last read. */
  let states = new Map(files.map((file) => [file, stateOf(file)]));
  /** By path. */
  let folders = new Map<string, Folder>();
  const unwatchable = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let poll: NodeJS.Timeout | undefined;
  let later: NodeJS.Timeout[] = [];
  let runs = 0;
  let isClosed = false;

  function follow(): void {
    const next = new Map<string, Folder>();
    for (const [name, entries] of entriesByFolder(watched)) {
      const inode = inodeOf(name);
      const known = folders.get(name);
      const isSame = known?.inode === inode && known.watcher !== undefined;
      next.set(name, isSame ? Object.assign(known, { entries }) : { inode, entries, watcher: watchFolder(name) });
    }
    const before = folders;
    folders = next;
    for (const [name, folder] of before) if (next.get(name) !== folder) folder.watcher?.close();
    clearTimeout(poll);
    if ([...folders.values()].some(({ watcher }) => watcher === undefined)) poll = setTimeout(look, POLL).unref();
  }

  /** @returns undefined if the system refuses, for example because too many folders are watched */
  function watchFolder(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, (_, name) => {
        // The system uses the last part of its path as the name of the watched folder itself.
        const isItself = name === path.basename(folder);
        if (name === null || isItself || folders.get(folder)?.entries.has(fold(name))) lookSoon();
      });
      watcher.on("error", () => {
        // On Windows: the folder was removed.
        watcher.close();
        const known = folders.get(folder);
        if (known?.watcher === watcher) known.watcher = undefined;
        lookLater();
      });
      unwatchable.delete(folder);
      lookLater();
      return watcher.unref();
    } catch (error) {
      if (!unwatchable.has(folder)) onError(toError(error));
      unwatchable.add(folder);
      return undefined;
    }
  }

  function lookSoon(): void {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(look, SETTLE).unref();
  }

  function lookLater(): void {
    for (const timeout of later) clearTimeout(timeout);
    later = LOOK_AGAIN.map((delay) => setTimeout(look, delay).unref());
  }

  function look(): void {
    if (isClosed) return;
    const now = new Map(watched.map((file) => [file, stateOf(file)]));
    const isChanged = watched.some((file) => now.get(file) !== states.get(file));
    states = now;
    follow();
    if (isChanged) void run();
  }

  function check(): void {
    // No file is in this state.
    states.clear();
    lookSoon();
  }

  async function run(): Promise<void> {
    const own = ++runs;
    const started = Date.now();
    try {
      const next = await onChange();
      if (isClosed || own !== runs) return;
      watched = next;
      const added = watched.filter((file) => !states.has(file));
      states = new Map(watched.map((file) => [file, states.get(file) ?? stateOf(file)]));
      follow();
      // A new file was not known before it was read.
      if (added.some((file) => changedSince(file, started))) check();
    } catch (error) {
      onError(toError(error));
    }
  }

  follow();
  return {
    check,
    close() {
      isClosed = true;
      clearTimeout(timer);
      clearTimeout(poll);
      for (const timeout of later) clearTimeout(timeout);
      for (const { watcher } of folders.values()) watcher?.close();
    },
  };
}

interface Folder {
  /** Changes if the folder is removed and made again. */
  inode: number;
  /** Names of the folder's entries that matter, folded. */
  entries: Set<string>;
  /** Undefined: the system can't watch it, or no longer does. */
  watcher: FSWatcher | undefined;
}

/** 0 if there is no folder that can be looked at. */
function inodeOf(folder: string): number {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.ino ?? 0;
  } catch {
    return 0;
  }
}

function entriesByFolder(files: readonly string[]): Map<string, Set<string>> {
  const folders = new Map<string, Set<string>>();
  for (const { folder, name } of files.flatMap(placesOf)) {
    const entries = folders.get(folder);
    if (entries === undefined) folders.set(folder, new Set([fold(name)]));
    else entries.add(fold(name));
  }
  return folders;
}

/** Windows and macOS take names that differ only in case or in the form of accents for the same. Elsewhere one look too many costs nothing. */
function fold(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
