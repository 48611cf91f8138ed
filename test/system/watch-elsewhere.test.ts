/** Simulates `fs.watch` of macOS and Windows, and of a system without free watches. */

import fs, { type FSWatcher } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, realpath, rename, rm, utimes, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Watch, watchFiles } from "../../plugin/system/watch.ts";

const systems = fs.watch;
type Listener = (event: string, name: string | null) => void;

/** Replaces `fs.watch`. */
function watchBy(made: (folder: string, listener: Listener) => FSWatcher): void {
  Reflect.set(fs, "watch", vi.fn(made));
  syncBuiltinESMExports();
}

/** A time that `utimes` can set exactly. */
const LONG_AGO = new Date("2020-01-01");

let folder: string;
let file: string;
let watching: Watch | undefined;
/** The texts that were read, in order. */
let seen: string[];
let errors: Error[];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(os.tmpdir(), "vpc-watch-")));
  file = path.join(folder, "vpc.jsonc");
  await writeFile(file, "first");
  await utimes(file, LONG_AGO, LONG_AGO);
  [seen, errors] = [[], []];
});

afterEach(async () => {
  watching?.close();
  Reflect.set(fs, "watch", systems);
  syncBuiltinESMExports();
  await rm(folder, { recursive: true, force: true });
});

function start(watched = file): void {
  const onChange = async (): Promise<string[]> => {
    seen.push(await readFile(watched, "utf8").catch(() => "nothing"));
    return [watched];
  };
  watching = watchFiles([watched], onChange, (error) => errors.push(error));
}

/** Waits until `text` was read. @returns the text that was read last */
async function whenSeen(text: string): Promise<string | undefined> {
  await vi.waitFor(() => expect(seen.at(-1)).toBe(text), 10_000);
  return seen.at(-1);
}

test.each<[what: string, act: () => Promise<unknown>]>([
  ["its permissions change", () => chmod(file, 0o600)],
  ["it is read", () => utimes(file, new Date(), LONG_AGO)],
  ["another file in the folder changes", () => writeFile(path.join(folder, "other"), "")],
])("no edit is reported if %s", async (_, act) => {
  let isReported = false;
  watchBy((name, listener) =>
    systems(name, (event, entry) => {
      isReported = true;
      listener(event, entry);
    }),
  );
  start();
  await act();
  await vi.waitFor(() => expect(isReported).toBe(true), 5000);
  await writeFile(file, "second");
  expect(await whenSeen("second")).toBe("second");
  // An edit that was reported before would have read "first".
  expect(seen).not.toContain("first");
});

test("an event from before the watch began, as macOS sends it, is not an edit", async () => {
  watchBy((name, listener) => {
    setImmediate(listener, "rename", path.basename(file));
    return systems(name, listener);
  });
  start();
  // Waits until after the first check.
  await setTimeout(150);
  await writeFile(file, "second");
  expect(await whenSeen("second")).toBe("second");
  expect(seen).not.toContain("first");
});

test("an edit that keeps the size and time is noticed", async () => {
  start();
  fs.writeFileSync(file, "other");
  fs.utimesSync(file, LONG_AGO, LONG_AGO);
  expect(await whenSeen("other")).toBe("other");
});

test("an edit is noticed if it is made before the system begins to watch, as on macOS", async () => {
  // The system never reports this edit.
  watchBy((name) => systems(name, () => undefined));
  start();
  await writeFile(file, "second");
  expect(await whenSeen("second")).toBe("second");
});

test("edits are noticed after the watched folder was removed and its watch failed, as on Windows", async () => {
  const inner = path.join(folder, "inner");
  await mkdir(inner);
  file = path.join(inner, "vpc.jsonc");
  await writeFile(file, "first");
  const watchers: FSWatcher[] = [];
  watchBy((name, listener) => {
    // Once the folder is gone, Windows reports only this error.
    let isOver = false;
    const watcher = systems(name, (event, entry) => {
      if (!isOver) listener(event, entry);
    });
    watcher.once("error", () => (isOver = true));
    if (name === inner) watchers.push(watcher);
    return watcher;
  });
  start();
  // The parent folder is not watched while the folder exists.
  await rename(inner, `${inner}~`);
  watchers[0]?.emit("error", Object.assign(new Error("EPERM: operation not permitted, watch"), { code: "EPERM" }));
  expect(await whenSeen("nothing")).toBe("nothing");
  await rename(`${inner}~`, inner);
  await writeFile(file, "second");
  expect(await whenSeen("second")).toBe("second");
  await writeFile(file, "third");
  expect(await whenSeen("third")).toBe("third");
  expect(errors).toEqual([]);
});

test("a watch that fails at once is created again after a pause", async () => {
  let made = 0;
  watchBy((name, listener) => {
    made++;
    const watcher = systems(name, listener);
    setImmediate(() => watcher.emit("error", new Error("EPERM: operation not permitted, watch")));
    return watcher;
  });
  start();
  await setTimeout(500);
  await writeFile(file, "second");
  expect(await whenSeen("second")).toBe("second");
  expect(made).toBeGreaterThan(1);
  expect(made).toBeLessThan(100);
});

test("if the system refuses to watch, that is reported once, and edits are still noticed", async () => {
  watchBy(() => {
    throw Object.assign(new Error("ENOSPC: System limit for number of file watchers reached"), { code: "ENOSPC" });
  });
  start();
  for (const text of ["second", "third", "fourth"]) {
    await writeFile(file, text);
    expect(await whenSeen(text)).toBe(text);
  }
  expect(errors.map(({ message }) => message)).toEqual(["ENOSPC: System limit for number of file watchers reached"]);
});

test.each([
  ["in another case, as Windows and macOS report it", "Compose.yaml", "compose.yaml"],
  ["with a separate accent, as macOS reports it", "caf\u00e9.yaml", "cafe\u0301.yaml"],
])("an edit is noticed if its name arrives %s", async (_, written, reported) => {
  file = path.join(folder, written);
  await writeFile(file, "first");
  watchBy((name, listener) => systems(name, (event) => listener(event, reported)));
  start();
  // Waits until after the checks that follow a new watch.
  await setTimeout(1200);
  await writeFile(file, "second");
  expect(await whenSeen("second")).toBe("second");
});
