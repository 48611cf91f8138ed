/** Files of ours in folders that others can write to. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { makePrivateDirectory } from "../plugin/egress/private-directory.ts";

let base: string;

beforeEach(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), "vpc-"));
  vi.stubEnv("TMPDIR", base);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(base, { recursive: true });
});

/** Of a process that is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

test("a private directory is new, and this user's only", async () => {
  const directory = await makePrivateDirectory();
  expect(path.dirname(directory)).toBe(base);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(await readdir(directory)).toEqual([]);
});

test("what was left behind is swept, but not through a link in its place", async () => {
  const pid = await deadPid();
  const precious = path.join(base, "precious");
  await mkdir(precious);
  await writeFile(path.join(precious, "file"), "kept");
  const link = path.join(base, `mvpc-${pid}-linked`);
  await symlink(precious, link);
  const left = path.join(base, `mvpc-${pid}-abcdef`);
  await mkdir(left);
  // A link inside of what is swept goes, and not what it leads to.
  await symlink(precious, path.join(left, "inner"));
  await makePrivateDirectory();
  expect(existsSync(left)).toBe(false);
  expect(existsSync(link)).toBe(true);
  expect(existsSync(path.join(precious, "file"))).toBe(true);
});

test("nor is another user's", async () => {
  const left = path.join(base, `mvpc-${await deadPid()}-abcdef`);
  await mkdir(left);
  const uid = process.getuid?.() ?? 0;
  vi.spyOn(process, "getuid").mockReturnValue(uid + 1);
  await makePrivateDirectory();
  vi.restoreAllMocks();
  expect(existsSync(left)).toBe(true);
});
