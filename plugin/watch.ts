/**
 * Watches a handful of files: also ones that don't exist yet, in folders that don't exist yet, and
 * editors that replace a file instead of writing it. Never keeps the process alive.
 */

import { type FSWatcher, type Stats, statSync, watch } from "node:fs";
import path from "node:path";
import { toError } from "./error.ts";

/** Milliseconds: editors write a file in several steps. */
const SETTLE = 15;

export interface Watch {
  /** As after a change. */
  check(): void;
  close(): void;
}

/**
 * @param onChange called once a burst of changes, never twice at a time; answers with the files to watch from now on
 * @param onError of `onChange` or of the system
 */
export function watchFiles(
  files: readonly string[],
  onChange: () => Promise<readonly string[]>,
  onError: (error: Error) => void,
): Watch {
  let watched = files;
  let folders = new Map<string, Folder>();
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let isDue = false;
  let isClosed = false;

  /** Watches the folder of each file, or the nearest one above that exists: it tells when the next one appears. */
  function follow(): void {
    const next = new Map<string, Folder>();
    for (const wanted of new Set(watched.map((file) => nearestFolder(path.dirname(file))))) {
      const known = folders.get(wanted.name);
      next.set(wanted.name, known?.inode === wanted.inode ? known : { ...wanted, watcher: watchFolder(wanted.name) });
    }
    const before = folders;
    folders = next;
    for (const [name, folder] of before) if (next.get(name) !== folder) folder.watcher.close();
  }

  function watchFolder(folder: string): FSWatcher {
    const watcher = watch(folder, (_, name) => {
      // A folder on the way to a file, or the watched folder itself, which the system names by its last part.
      const changed = name === null ? folder : path.join(folder, name);
      const isOurs = watched.some((file) => file === changed || file.startsWith(`${changed}${path.sep}`));
      if (isOurs || name === path.basename(folder)) check();
    });
    watcher.on("error", (error) => onError(toError(error)));
    return watcher.unref();
  }

  function check(): void {
    isDue = true;
    clearTimeout(timer);
    timer = setTimeout(() => void run(), SETTLE).unref();
  }

  async function run(): Promise<void> {
    if (isRunning || isClosed) return;
    isRunning = true;
    while (isDue) {
      isDue = false;
      try {
        watched = await onChange();
        if (isClosed) return;
        follow();
      } catch (error) {
        onError(toError(error));
      }
    }
    isRunning = false;
  }

  try {
    follow();
  } catch (error) {
    onError(toError(error));
  }
  return {
    check,
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const { watcher } of folders.values()) watcher.close();
    },
  };
}

interface Folder {
  /** Another one after the folder was removed and made again. */
  inode: number;
  watcher: FSWatcher;
}

function nearestFolder(folder: string): { name: string; inode: number } {
  const stats = statsOf(folder);
  const parent = path.dirname(folder);
  return stats?.isDirectory() || parent === folder ? { name: folder, inode: stats?.ino ?? 0 } : nearestFolder(parent);
}

/** Nothing also where the name is none: a compose file may ask for any. */
function statsOf(folder: string): Stats | undefined {
  try {
    return statSync(folder, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
