/** The code in the pages is the fixtures' code, and CI runs the versions that docs/ways-in.md names. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { PROJECTS } from "../fixtures/matrix.ts";

const root = path.join(import.meta.dirname, "../..");
const [page = "", ...others] = ["ways-in", "frameworks", "testing", "ci", "stand-ins", "hyperdrive"].map((name) =>
  readFileSync(path.join(root, `docs/${name}.md`), "utf8"),
);
const shown = [...[page, ...others].join("\n").matchAll(/<!-- (fixtures\/\S+) -->\n\n```\w+\n([^]*?)```/g)];

test("each way in is shown", () => {
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
  const cells = page
    .split("\n")
    .find((line) => line.startsWith(`| \`${name}\` `))
    ?.split("|")
    .map((cell) => cell.trim());
  expect(cells).toEqual(["", `\`${name}\``, versions[0], versions.at(-1), ""]);
});

test("miniflare: the newest version is the tests' version", () => {
  expect(page).toMatch(
    new RegExp(`\\| \`miniflare\` +\\| 5\\.20260804\\.0-alpha \\| ${manifest.devDependencies.miniflare} +\\|`),
  );
});
