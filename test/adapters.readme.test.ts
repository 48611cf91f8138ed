/** What the README shows of the ways in is the fixtures' own code, and the versions are those CI runs. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { PROJECTS } from "./fixtures/matrix.ts";

const root = path.join(import.meta.dirname, "..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const shown = [...readme.matchAll(/<!-- (fixtures\/\S+) -->\n\n```\w+\n([^]*?)```/g)];

test("shows each way in", () => {
  expect(shown.map(([, file = ""]) => path.dirname(file))).toEqual(
    expect.arrayContaining(
      PROJECTS.map(({ fixture }) => `fixtures/${fixture}`).filter((file) => !file.endsWith("monorepo")),
    ),
  );
});

test.each(shown.map(([, file = "", code = ""]) => [file, code] as const))("%s", (file, code) => {
  expect(code).toBe(readFileSync(path.join(root, file), "utf8"));
});

test.each([
  "wrangler",
  "@cloudflare/vitest-plugin",
  "@cloudflare/vitest-pool-workers",
  "@cloudflare/vite-plugin",
  "vitest",
  "vite",
])("%s: the oldest and the newest version", (name) => {
  const versions = PROJECTS.flatMap(({ versions: all, instead = {} }) =>
    Object.entries(all).flatMap(([named, version]) => ((instead[named] ?? named) === name ? [version] : [])),
  ).toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const cells = readme
    .split("\n")
    .find((line) => line.startsWith(`| \`${name}\` `))
    ?.split("|")
    .map((cell) => cell.trim());
  expect(cells).toEqual(["", `\`${name}\``, versions[0], versions.at(-1), ""]);
});

test("miniflare: the newest version is the one of the tests", () => {
  expect(readme).toMatch(
    new RegExp(`\\| \`miniflare\` +\\| 5\\.20260804\\.0-alpha \\| ${manifest.devDependencies.miniflare} +\\|`),
  );
});
