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
import { afterEach, beforeEach, expect, test } from "vitest";
import { SIBLING_PATTERN, siblingName, unfinished } from "../plugin/dev/sibling.ts";
import { SiblingFiles } from "../plugin/dev/sibling-files.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "sibling-files-")));
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = (): string => path.join(folder, "wrangler.toml");

test("lie beside their config, as long as the object lives", () => {
  {
    using siblings = new SiblingFiles();
    expect(siblings.write(config(), 0, "{}")).toBe(path.join(folder, siblingName(process.pid, 0)));
    siblings.write(config(), 1, "[]");
    expect(readdirSync(folder)).toEqual([siblingName(process.pid, 0), siblingName(process.pid, 1)]);
  }
  expect(readdirSync(folder)).toEqual([]);
});

test("are written only when their content changes", () => {
  using siblings = new SiblingFiles();
  const file = written(siblings.write(config(), 0, "1"));
  const first = statSync(file).ino;
  siblings.write(config(), 0, "1");
  expect(statSync(file).ino).toBe(first);
  siblings.write(config(), 0, "2");
  expect(readFileSync(file, "utf8")).toBe("2");
});

test("of processes that are gone are removed, others are kept", () => {
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

test("are not seen by git", () => {
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

test("are not seen by git in a worktree", () => {
  const main = path.join(folder, "main");
  const tree = path.join(folder, "tree");
  git(folder, "init", "--quiet", main);
  git(main, "commit", "--quiet", "--allow-empty", "-m", "start");
  git(main, "worktree", "add", "--quiet", tree);
  using siblings = new SiblingFiles();
  siblings.write(path.join(tree, "wrangler.toml"), 0, "{}");
  expect(git(tree, "status", "--porcelain")).toBe("");
});

test("in a folder that can't be written, a diagnostic says so; a later write may work", () => {
  using siblings = new SiblingFiles();
  const later = path.join(folder, "later");
  expect(siblings.write(path.join(later, "wrangler.toml"), 0, "{}")).toMatchObject({
    severity: "error",
    code: "folder-not-writable",
    text: expect.stringMatching(/^no file can be written in this folder: ENOENT/),
    file: later,
    notes: [expect.stringContaining("beside wrangler.toml"), "Make the folder writable, or work on a copy of it."],
  });
  mkdirSync(later);
  written(siblings.write(path.join(later, "wrangler.toml"), 0, "{}"));
  expect(readdirSync(later)).toEqual([siblingName(process.pid, 0)]);
});

function written(result: ReturnType<SiblingFiles["write"]>): string {
  if (typeof result === "object") throw new Error(result.text);
  return result;
}

function git(cwd: string, ...args: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
  return execFileSync("git", [...identity, ...args], { cwd, encoding: "utf8" });
}
