import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { afterAll, afterEach, expect, test, vi } from "vitest";

import { isRunning } from "../../plugin/system/is-running.ts";
import { readSystemRoots } from "../../plugin/system/system-roots.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "mvpc-system-roots-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Writes a module that replaces the system's answer. @returns the NODE_OPTIONS to load it */
async function preload(name: string, answer: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(
    file,
    `import tls from "node:tls";
     import { renameSync, writeFileSync } from "node:fs";
     tls.getCACertificates = () => { ${answer} };`,
  );
  return `--import=${pathToFileURL(file).href}`;
}

test("a store that can't be read is reported, and no certificate is trusted because of it", async () => {
  vi.stubEnv("NODE_OPTIONS", await preload("fails.mjs", `throw new Error("the store is locked");`));
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  expect(await readSystemRoots()).toEqual([]);
  expect(warn.mock.calls).toEqual([
    [
      expect.stringMatching(
        /^miniflare-vpc: can't read the certificates of this machine's own store: [^]*the store is locked[^]*\. Those that only this store trusts are refused; restart to try again, or name their root in "ca"\.$/,
      ),
    ],
  ]);
});

test("an unfinished read does not keep the process alive, and ends with it", async () => {
  const pidFile = path.join(folder, "pid");
  const forever = `
    writeFileSync(${JSON.stringify(`${pidFile}~`)}, String(process.pid));
    renameSync(${JSON.stringify(`${pidFile}~`)}, ${JSON.stringify(pidFile)});
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
  const source = `
    import { existsSync } from "node:fs";
    import { readSystemRoots } from ${JSON.stringify(new URL("../../plugin/system/system-roots.ts", import.meta.url).href)};
    process.env.NODE_OPTIONS = ${JSON.stringify(await preload("hangs.mjs", forever))};
    void readSystemRoots();
    // From now on, only the read could keep this process alive.
    while (!existsSync(${JSON.stringify(pidFile)})) await new Promise((resolve) => setTimeout(resolve, 10));`;
  await promisify(execFile)(process.execPath, [
    "--experimental-strip-types",
    "--no-warnings",
    "--input-type=module",
    "-e",
    source,
  ]);
  const pid = Number(await readFile(pidFile, "utf8"));
  expect(pid).toBeGreaterThan(0);
  await expect.poll(() => isRunning(pid), { timeout: 5000 }).toBe(false);
});
