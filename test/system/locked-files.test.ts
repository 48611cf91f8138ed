import { expect, test, vi } from "vitest";

import { retryWhileLocked } from "../../plugin/system/locked-files.ts";
import { pretend } from "../setup/platform.ts";

/** Fails a number of times, then returns "done". */
function failing(code: string, times: number): () => string {
  const change = vi.fn<() => string>(() => "done");
  for (let time = 0; time < times; time++) {
    change.mockImplementationOnce(() => {
      throw Object.assign(new Error(code), { code });
    });
  }
  return change;
}

test.each<[NodeJS.Platform, string]>([
  ["win32", "EBUSY"],
  ["win32", "EPERM"],
  ["win32", "EACCES"],
  ["linux", "EBUSY"],
])("on %s, %s is tried again", (platform, code) => {
  using _ = pretend(platform);
  const change = failing(code, 3);
  expect(retryWhileLocked(change)).toBe("done");
  expect(change).toHaveBeenCalledTimes(4);
});

test.each<[NodeJS.Platform, string]>([
  ["win32", "ENOENT"],
  ["linux", "EACCES"],
])("on %s, %s is not", (platform, code) => {
  using _ = pretend(platform);
  const change = failing(code, 1);
  expect(() => retryWhileLocked(change)).toThrow(code);
  expect(change).toHaveBeenCalledTimes(1);
});

test("what stays locked is an error in the end", () => {
  const change = failing("EBUSY", 1000);
  expect(() => retryWhileLocked(change)).toThrow("EBUSY");
});
