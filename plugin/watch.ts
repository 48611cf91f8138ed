/**
 * Watches a handful of files, also ones that don't exist yet, and editors that replace a file
 * instead of writing it. Never keeps the process alive.
 */

import { type FSWatcher, watch } from "node:fs";
import path from "node:path";

/** Milliseconds: editors write a file in several steps. */
const SETTLE = 15;

/**
 * @param onChange called once a burst of changes, never twice at a time; answers with the files to watch from now on
 * @param onError of `onChange`
 */
export function watchFiles(
  files: readonly string[],
  onChange: () => Promise<readonly string[]>,
  onError: (error: Error) => void,
): { close(): void } {
  let watched = new Set<string>();
  let folders = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let isDue = false;
  let isClosed = false;

  function follow(next: readonly string[]): void {
    watched = new Set(next);
    const wanted = new Set(next.map((file) => path.dirname(file)));
    for (const [folder, watcher] of folders) if (!wanted.has(folder)) watcher.close();
    folders = new Map([...wanted].map((folder) => [folder, folders.get(folder) ?? watchFolder(folder)]));
  }

  function watchFolder(folder: string): FSWatcher {
    const watcher = watch(folder, (_, name) => {
      if (name === null || watched.has(path.join(folder, name))) schedule();
    });
    watcher.on("error", (error) => onError(error instanceof Error ? error : new Error(String(error))));
    return watcher.unref();
  }

  function schedule(): void {
    isDue = true;
    clearTimeout(timer);
    timer = setTimeout(() => void run(), SETTLE).unref();
  }

  async function run(): Promise<void> {
    if (isRunning || isClosed) return;
    isRunning = true;
    try {
      while (isDue) {
        isDue = false;
        const next = await onChange();
        if (!isClosed) follow(next);
      }
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      isRunning = false;
    }
  }

  function close(): void {
    isClosed = true;
    clearTimeout(timer);
    for (const watcher of folders.values()) watcher.close();
  }

  follow(files);
  return { close };
}
