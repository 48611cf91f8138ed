import path from "node:path";

import { expect, test } from "vitest";

import { isInside } from "../../plugin/system/is-inside.ts";

test.each<[platform: "posix" | "win32", folder: string, file: string, expected: boolean]>([
  ["posix", "/a", "/a", true],
  ["posix", "/a", "/a/b/c", true],
  ["posix", "/a", "/a/..b", true],
  ["posix", "/a", "/", false],
  ["posix", "/a", "/ab", false],
  ["posix", "/a/b", "/a/c", false],
  ["win32", "C:\\a", "C:\\a\\b", true],
  ["win32", "C:\\a", "c:\\A\\b", true],
  ["win32", "C:\\a", "C:\\b", false],
  ["win32", "C:\\a", "D:\\a\\b", false],
  ["win32", "C:\\a", "\\\\server\\share\\a", false],
])("%s: of %s, %s", (platform, folder, file, expected) => {
  expect(isInside(folder, file, path[platform])).toBe(expected);
});
