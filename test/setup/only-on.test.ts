/** What a real run of vitest lists on each system, which is simulated. */

import path from "node:path";

import { expect, test } from "vitest";

import { run } from "../wrangler/run.ts";
import { REPOSITORY, createProject } from "../wrangler/temporary-project.ts";

const VITEST = path.join(REPOSITORY, "node_modules/vitest/vitest.mjs");

const SUITE = `import { expect, test } from "vitest";
import { describeOn, testOn } from ${JSON.stringify(new URL("only-on.ts", import.meta.url).href)};
test("anywhere", () => {});
testOn("posix", "it needs a mode", "a mode", () => {});
testOn("linux", "it needs /proc", "with options", { timeout: 1000 }, () => {});
describeOn("linux", "it needs /proc", "a group", () => test("one of it", () => {}));`;

test.each([
  ["linux", ["✓ anywhere", "✓ a mode", "✓ with options", "✓ a group > one of it"]],
  [
    "darwin",
    [
      "✓ anywhere",
      "✓ a mode",
      "↓ with options (only on Linux: it needs /proc)",
      "↓ a group (only on Linux: it needs /proc) > one of it",
    ],
  ],
  [
    "win32",
    [
      "✓ anywhere",
      "↓ a mode (only on Linux and macOS: it needs a mode)",
      "↓ with options (only on Linux: it needs /proc)",
      "↓ a group (only on Linux: it needs /proc) > one of it",
    ],
  ],
])("on %s, the reason of each skipped test is in its title", async (platform, expected) => {
  using project = createProject({
    "some.test.ts": SUITE,
    "pretend.ts": `Object.defineProperty(process, "platform", { value: ${JSON.stringify(platform)} });`,
    "vitest.config.mjs": 'export default { test: { setupFiles: ["./pretend.ts"] } };',
  });
  await using running = run(VITEST, ["run", "--root", project.folder, "--reporter", "verbose"], { project });
  expect(await running.ended()).toBe(0);
  const listed = running.output().matchAll(/([✓↓]) some\.test\.ts > (.*?)(?: \d+ms)?$/gm);
  expect(Array.from(listed, ([, mark, title]) => `${mark} ${title}`)).toEqual(expected);
});
