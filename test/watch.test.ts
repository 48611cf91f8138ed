/** What a config asks to be watched may be no file at all. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { watchFiles } from "../plugin/watch.ts";

test.each([
  ["a NUL in its name", "a\0b/compose.yaml"],
  ["a name that is too long", `${"a".repeat(5000)}/compose.yaml`],
  ["a file as its folder", "there.yaml/compose.yaml"],
])("a file with %s keeps no other from being watched", async (_, odd) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "vpc-watch-"));
  const there = path.join(folder, "there.yaml");
  await writeFile(there, "");
  const files = [path.join(folder, odd), there];
  const onChange = vi.fn<() => Promise<string[]>>(async () => files);
  const onError = vi.fn<(error: Error) => void>();
  const watch = watchFiles(files, onChange, onError);
  try {
    await writeFile(there, "changed");
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
    expect(onError).not.toHaveBeenCalled();
  } finally {
    watch.close();
    await rm(folder, { recursive: true });
  }
});
