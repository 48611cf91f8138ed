/** Watching files, links, and paths that can't be files. */

import { mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { watchFiles } from "../../plugin/system/watch.ts";
import { describeOn } from "../setup/only-on.ts";

test.each([
  ["a NUL in its name", "a\0b/compose.yaml"],
  ["a name that is too long", `${"a".repeat(5000)}/compose.yaml`],
  ["a file as its folder", "there.yaml/compose.yaml"],
])("a file with %s does not prevent watching other files", async (_, odd) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "vpc-watch-"));
  const there = path.join(folder, "there.yaml");
  await writeFile(there, "");
  const files = [path.join(folder, odd), there];
  const onChange = vi.fn<() => Promise<string[]>>(async () => files);
  const onError = vi.fn<(error: Error) => void>();
  const watch = watchFiles(files, onChange, onError);
  try {
    await writeFile(there, "changed");
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled(), 5000);
    expect(onError).not.toHaveBeenCalled();
  } finally {
    watch.close();
    await rm(folder, { recursive: true });
  }
});

/** `file` is watched, and may be a link to `target`. */
interface Files {
  folder: string;
  file: string;
  target: string;
}

async function linked(folder: string, target: string): Promise<Files> {
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, "first");
  const file = path.join(folder, "vpc.jsonc");
  await symlink(path.relative(folder, target), file);
  return { folder, file, target };
}

/** Makes an edit, and then another one of the current target. @returns the text that was read last */
async function seenAfter(
  layout: (folder: string) => Promise<Files>,
  edit: (files: Files) => Promise<void>,
): Promise<string> {
  const files = await layout(await realpath(await mkdtemp(path.join(os.tmpdir(), "vpc-watch-"))));
  let seen = "first";
  const onChange = async (): Promise<string[]> => {
    seen = await readFile(files.file, "utf8").catch(String);
    return [files.file];
  };
  const watch = watchFiles([files.file], onChange, (error) => void (seen = String(error)));
  try {
    await edit(files);
    await vi.waitFor(() => expect(seen).toBe("second"), 5000);
    await writeFile(await realpath(files.file), "third");
    await vi.waitFor(() => expect(seen).toBe("third"), 5000);
    return seen;
  } finally {
    watch.close();
    await rm(files.folder, { recursive: true });
  }
}

const swap = async ({ folder, file }: Files): Promise<void> => {
  const link = path.join(folder, path.basename(file) === "vpc.jsonc" && file.includes("link") ? "link" : "..data");
  await mkdir(path.join(folder, "..two"));
  await writeFile(path.join(folder, "..two", "vpc.jsonc"), "second");
  await symlink("..two", `${link}_tmp`);
  await rename(`${link}_tmp`, link);
};

describe("an edit is noticed", () => {
  const layouts: [layout: string, make: (folder: string) => Promise<Files>][] = [
    [
      "of a plain file",
      async (folder) => {
        const file = path.join(folder, "vpc.jsonc");
        await writeFile(file, "first");
        return { folder, file, target: file };
      },
    ],
    ["behind a link in the same folder", (folder) => linked(folder, path.join(folder, "shared.jsonc"))],
    ["behind a link to another folder", (folder) => linked(folder, path.join(folder, "elsewhere", "shared.jsonc"))],
    [
      "behind a link to a folder",
      async (folder) => {
        await mkdir(path.join(folder, "real"));
        await symlink("real", path.join(folder, "link"));
        const target = path.join(folder, "real", "vpc.jsonc");
        await writeFile(target, "first");
        return { folder, file: path.join(folder, "link", "vpc.jsonc"), target };
      },
    ],
    [
      "behind links of a Kubernetes volume",
      async (folder) => {
        await mkdir(path.join(folder, "..one"));
        await symlink("..one", path.join(folder, "..data"));
        await symlink("..data/vpc.jsonc", path.join(folder, "vpc.jsonc"));
        const target = path.join(folder, "..one", "vpc.jsonc");
        await writeFile(target, "first");
        return { folder, file: path.join(folder, "vpc.jsonc"), target };
      },
    ],
  ];

  const edits: [edit: string, make: (files: Files) => Promise<void>][] = [
    ["written in place", ({ target }) => writeFile(target, "second")],
    [
      "truncated and written",
      async ({ target }) => {
        await truncate(target);
        await writeFile(target, "second");
      },
    ],
    [
      "replaced by a rename",
      async ({ target }) => {
        await writeFile(`${target}~`, "second");
        await rename(`${target}~`, target);
      },
    ],
    [
      "removed and created again",
      async ({ target }) => {
        await rm(target);
        await writeFile(target, "second");
      },
    ],
  ];

  describe.each(layouts)("%s", (_, layout) => {
    test.each(edits)("%s", async (_, edit) => {
      expect(await seenAfter(layout, edit)).toBe("third");
    });
  });

  describeOn("posix", "Windows renames nothing over a link to a folder", "a link to the folder is replaced", () => {
    test.each(layouts.slice(3))("%s", async (_, layout) => {
      expect(await seenAfter(layout, swap)).toBe("third");
    });
  });
});

test("a later change is handled while an earlier one is still running, and wins", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "vpc-watch-"));
  const file = path.join(folder, "vpc.jsonc");
  await writeFile(file, "first");
  const started: string[] = [];
  const onChange = async (): Promise<string[]> => {
    const text = await readFile(file, "utf8");
    started.push(text);
    return text === "hangs" ? new Promise(() => undefined) : [file];
  };
  const watch = watchFiles([file], onChange, (error) => started.push(String(error)));
  try {
    await writeFile(`${file}~`, "hangs");
    await rename(`${file}~`, file);
    await vi.waitFor(() => expect(started.at(-1)).toBe("hangs"), 5000);
    await writeFile(`${file}~`, "later");
    await rename(`${file}~`, file);
    await vi.waitFor(() => expect(started.at(-1)).toBe("later"), 5000);
  } finally {
    watch.close();
    await rm(folder, { recursive: true });
  }
});
