import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SIBLING_PATTERN, siblingName, unfinished } from "../../plugin/wrangler-config/sibling.ts";
import { SiblingFiles } from "../../plugin/wrangler-config/sibling-files.ts";
import { lockFiles } from "../setup/file-locks.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "sibling-files-")));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const config = (): string => path.join(folder, "wrangler.toml");

test("lie beside their config until the object is disposed", () => {
  {
    using siblings = new SiblingFiles();
    expect(siblings.write(config(), 0, "{}")).toBe(path.join(folder, siblingName(process.pid, 0)));
    siblings.write(config(), 1, "[]");
    expect(readdirSync(folder)).toEqual([siblingName(process.pid, 0), siblingName(process.pid, 1)]);
  }
  expect(readdirSync(folder)).toEqual([]);
});

test("are only written if their content changes", () => {
  using siblings = new SiblingFiles();
  const file = written(siblings.write(config(), 0, "1"));
  const first = statSync(file).ino;
  siblings.write(config(), 0, "1");
  expect(statSync(file).ino).toBe(first);
  siblings.write(config(), 0, "2");
  expect(readFileSync(file, "utf8")).toBe("2");
});

test("files of ended processes are removed; files of running ones stay", () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const dead = path.join(folder, siblingName(pid, 0));
  const alive = path.join(folder, siblingName(process.ppid, 0));
  for (const file of [dead, alive]) {
    writeFileSync(file, "");
    writeFileSync(unfinished(file), "");
  }
  using siblings = new SiblingFiles();
  const own = written(siblings.write(config(), 0, "{}"));
  const names = [own, alive, unfinished(alive)].map((file) => path.basename(file));
  expect(readdirSync(folder).toSorted()).toEqual(names.toSorted());
});

test("git ignores them", () => {
  git(folder, "init", "--quiet");
  const list = path.join(folder, ".git/info/exclude");
  writeFileSync(list, "*.log");
  for (let run = 0; run < 2; run++) {
    using siblings = new SiblingFiles();
    writeFileSync(unfinished(written(siblings.write(config(), 0, "{}"))), "");
    expect(git(folder, "status", "--porcelain")).toBe("");
  }
  expect(readFileSync(list, "utf8")).toBe(`*.log\n${SIBLING_PATTERN}\n`);
});

test("git ignores them in a worktree", () => {
  const main = path.join(folder, "main");
  const tree = path.join(folder, "tree");
  git(folder, "init", "--quiet", main);
  git(main, "commit", "--quiet", "--allow-empty", "-m", "start");
  git(main, "worktree", "add", "--quiet", tree);
  using siblings = new SiblingFiles();
  siblings.write(path.join(tree, "wrangler.toml"), 0, "{}");
  expect(git(tree, "status", "--porcelain")).toBe("");
});

const MODULE = new URL("../../plugin/wrangler-config/sibling-files.ts", import.meta.url).href;

/** Runs the source in a separate process, in the folder. */
function run(source: string): void {
  const text = `import { SiblingFiles } from ${JSON.stringify(MODULE)};\n${source}`;
  execFileSync(process.execPath, ["--input-type=module", "--eval", text], { cwd: folder });
}

test("files of a terminated thread are removed with the process; files of other processes stay", () => {
  const other = siblingName(process.ppid, 0);
  writeFileSync(path.join(folder, other), "");
  run(`
    import { once } from "node:events";
    import { readdirSync } from "node:fs";
    import { Worker } from "node:worker_threads";
    new SiblingFiles().write(${JSON.stringify(config())}, 0, "{}");
    const thread = new Worker(\`
      import { SiblingFiles } from ${JSON.stringify(MODULE)};
      import { parentPort } from "node:worker_threads";
      new SiblingFiles().write(${JSON.stringify(config())}, 1, "{}");
      parentPort.on("message", () => undefined).postMessage("written");
    \`, { eval: true });
    await once(thread, "message");
    await thread.terminate();
    if (readdirSync(".").length !== 3) throw new Error(readdirSync(".").join());
  `);
  expect(readdirSync(folder)).toEqual([other]);
});

test("are removed even if the folder was renamed meanwhile", () => {
  const renamed = path.join(folder, "renamed");
  const named = path.join(folder, "named");
  mkdirSync(named);
  const before = folder;
  folder = named;
  try {
    run(`
      import { readdirSync, renameSync } from "node:fs";
      new SiblingFiles().write(${JSON.stringify(config())}, 0, "{}");
      renameSync(${JSON.stringify(named)}, ${JSON.stringify(renamed)});
      if (readdirSync(".").length !== 1) throw new Error(readdirSync(".").join());
    `);
  } finally {
    folder = before;
  }
  expect(readdirSync(renamed)).toEqual([]);
});

test("a diagnostic reports a folder that can't be written; a later write may succeed", () => {
  using siblings = new SiblingFiles();
  const later = path.join(folder, "later");
  expect(siblings.write(path.join(later, "wrangler.toml"), 0, "{}")).toMatchObject({
    severity: "error",
    code: "folder-not-writable",
    text: expect.stringMatching(/^can't write a file in this folder: ENOENT/),
    file: later,
    notes: [expect.stringContaining("beside wrangler.toml"), "Make the folder writable, or work on a copy of it."],
  });
  mkdirSync(later);
  written(siblings.write(path.join(later, "wrangler.toml"), 0, "{}"));
  expect(readdirSync(later)).toEqual([siblingName(process.pid, 0)]);
});

const isAtFirst = (_: string, failed: number): boolean => failed < 5;
const always = (): boolean => true;

test.each(["EPERM", "EBUSY"] as const)(
  "are written and removed even if a virus scanner locks them for a while: %s",
  (code) => {
    const siblings = new SiblingFiles();
    {
      using renaming = lockFiles("renameSync", { code, isHeld: isAtFirst });
      expect(readFileSync(written(siblings.write(config(), 0, "{}")), "utf8")).toBe("{}");
      expect(renaming.failed).toBe(5);
    }
    using removing = lockFiles("rmSync", { code, isHeld: isAtFirst });
    siblings[Symbol.dispose]();
    expect(removing.failed).toBe(5);
    expect(readdirSync(folder)).toEqual([]);
  },
);

test("a diagnostic reports a file that stays locked while it is written", () => {
  using siblings = new SiblingFiles();
  using _ = lockFiles("renameSync", { code: "EPERM", isHeld: always });
  expect(siblings.write(config(), 0, "{}")).toMatchObject({
    code: "folder-not-writable",
    text: expect.stringMatching(/^can't write a file in this folder: EPERM/),
  });
});

test("a file that stays locked at the end is named, the others are removed, and it is removed when the process exits", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const siblings = new SiblingFiles();
  const [first, second] = [0, 1].map((position) => written(siblings.write(config(), position, "{}")));
  {
    using _ = lockFiles("rmSync", { code: "EBUSY", isHeld: (name) => name === path.basename(first ?? "") });
    siblings[Symbol.dispose]();
  }
  expect(readdirSync(folder)).toEqual([path.basename(first ?? "")]);
  expect(second).not.toBe(first);
  expect(warn.mock.calls).toEqual([
    [
      expect.stringMatching(
        /^miniflare-vpc: can't remove the generated config .*-0\.json: EBUSY: .*\. Delete it: it holds the "vars" of your own\.$/,
      ),
    ],
  ]);
  // What Node calls when the process exits.
  for (const listener of process.listeners("exit")) if (String(listener).includes("removeAll")) listener(0);
  expect(readdirSync(folder)).toEqual([]);
});

test("a locked file of an ended process does not prevent new files", () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const [locked, left] = [siblingName(pid, 0), siblingName(pid, 1)];
  for (const name of [locked, left]) writeFileSync(path.join(folder, name), "");
  using siblings = new SiblingFiles();
  {
    using _ = lockFiles("rmSync", { code: "EPERM", isHeld: (name) => name === locked });
    written(siblings.write(config(), 0, "{}"));
  }
  expect(readdirSync(folder).toSorted()).toEqual([locked, siblingName(process.pid, 0)].toSorted());
});

function written(result: ReturnType<SiblingFiles["write"]>): string {
  if (typeof result === "object") throw new Error(result.text);
  return result;
}

function git(cwd: string, ...args: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
  return execFileSync("git", [...identity, ...args], { cwd, encoding: "utf8" });
}
