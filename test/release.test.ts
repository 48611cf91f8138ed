/** The obstacles to a release, which `npm run release` checks before it packs or tags. */

import { expect, test } from "vitest";
import { type Candidate, findObstacles } from "../.ci/release.ts";

const GOOD: Candidate = {
  status: "",
  tags: ["v0.1.0", ""],
  version: "0.2.0",
  lockVersions: ["0.2.0", "0.2.0"],
  changelog: "# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- News.\n\n## 0.1.0 (2026-11-22)\n",
};

test("a releasable commit has no obstacles", () => {
  expect(findObstacles(GOOD)).toEqual([]);
});

test.each<[string, Partial<Candidate>, string]>([
  [
    "an uncommitted change",
    { status: " M README.md\n" },
    "The work tree is not clean. Commit or remove:\n M README.md",
  ],
  [
    "an invalid version",
    { version: "next", lockVersions: ["next"], changelog: "## next (2026-12-01)\n" },
    'The version "next" in package.json is not a version such as 1.2.3.',
  ],
  [
    "a lock file of another version",
    { lockVersions: ["0.1.0", "0.2.0"] },
    "package-lock.json has version 0.1.0 and 0.2.0, but package.json has 0.2.0. Run: npm version 0.2.0 --no-git-tag-version --allow-same-version",
  ],
  ["a tag that exists", { tags: ["v0.1.0", "v0.2.0"] }, "The tag v0.2.0 already exists. Raise the version."],
  [
    "changes without a version",
    { changelog: `# Changelog\n\n## Unreleased\n\n- More.\n\n${GOOD.changelog}` },
    'The first heading of CHANGELOG.md is "## Unreleased", but must be "## 0.2.0 (YYYY-MM-DD)".',
  ],
  [
    "a heading without a date",
    { changelog: "## 0.2.0\n" },
    'The first heading of CHANGELOG.md is "## 0.2.0", but must be "## 0.2.0 (YYYY-MM-DD)".',
  ],
  [
    "an invalid date",
    { changelog: "## 0.2.0 (2026-13-01)\n" },
    'The first heading of CHANGELOG.md is "## 0.2.0 (2026-13-01)", but must be "## 0.2.0 (YYYY-MM-DD)".',
  ],
])("%s", (_, change, obstacle) => {
  expect(findObstacles({ ...GOOD, ...change })).toEqual([obstacle]);
});
