/** Our files in folders that others can write to. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs, { existsSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { makePrivateDirectory } from "../../plugin/egress/private-directory.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import { testOn } from "../setup/only-on.ts";

let base: string;

beforeEach(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), "vpc-"));
  stubTemporaryFolder(base);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(base, { recursive: true });
});

/** Windows asks for TEMP. */
function stubTemporaryFolder(name: string): void {
  vi.stubEnv("TMPDIR", name);
  vi.stubEnv("TEMP", name);
}

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

testOn("posix", "Windows has no file modes", "a private directory is new, and only this user can open it", async () => {
  const directory = await makePrivateDirectory();
  expect(path.dirname(directory)).toBe(base);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(await readdir(directory)).toEqual([]);
});

test("directories of ended processes are removed, but links in their place are not followed", async () => {
  const pid = await deadPid();
  const precious = path.join(base, "precious");
  await mkdir(precious);
  await writeFile(path.join(precious, "file"), "kept");
  const link = path.join(base, `mvpc-${pid}-linked`);
  await symlink(precious, link, "junction");
  const left = path.join(base, `mvpc-${pid}-abcdef`);
  await mkdir(left);
  // A link inside a removed directory is removed, but not its target.
  await symlink(precious, path.join(left, "inner"), "junction");
  await makePrivateDirectory();
  expect(existsSync(left)).toBe(false);
  expect(existsSync(link)).toBe(true);
  expect(existsSync(path.join(precious, "file"))).toBe(true);
});

testOn("posix", "Windows has no user ids", "directories of another user are not removed", async () => {
  const left = path.join(base, `mvpc-${await deadPid()}-abcdef`);
  await mkdir(left);
  const uid = process.getuid?.() ?? 0;
  vi.spyOn(process, "getuid").mockReturnValue(uid + 1);
  await makePrivateDirectory();
  vi.restoreAllMocks();
  expect(existsSync(left)).toBe(true);
});

test("an unusable folder for temporary files is named, with the variable to set", async () => {
  const file = path.join(base, "file");
  await writeFile(file, "");
  stubTemporaryFolder(file);
  await expect(makePrivateDirectory()).rejects.toThrow(
    /can't make a folder for sockets in .*file: (?:ENOTDIR|ENOENT).*Set TMPDIR/,
  );
});

test("an old directory that can't be removed does not prevent a new one", async () => {
  const left = path.join(base, `mvpc-${await deadPid()}-abcdef`);
  await mkdir(left);
  const locked = vi.spyOn(fs.promises, "rm").mockImplementation(async () => {
    throw Object.assign(new Error("EBUSY: resource busy or locked"), { code: "EBUSY" });
  });
  syncBuiltinESMExports();
  try {
    expect(path.dirname(await makePrivateDirectory())).toBe(base);
    expect(locked).toHaveBeenCalledExactlyOnceWith(left, expect.anything());
  } finally {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  }
});

test("the next call starts an egress proxy that could not start before", async () => {
  const file = path.join(base, "file");
  await writeFile(file, "");
  stubTemporaryFolder(file);
  await expect(egressProxy()).rejects.toThrow(/can't make a folder for sockets/);
  stubTemporaryFolder(base);
  const proxy = await egressProxy();
  expect(proxy.address).toContain(process.platform === "win32" ? "127.0.0.1:" : base);
  expect(await egressProxy()).toBe(proxy);
});
