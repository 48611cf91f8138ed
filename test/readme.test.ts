/** The README and the pages in docs/ agree with the code, and their links work. */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { parse } from "jsonc-parser";
import { expect, it, test } from "vitest";
import { loadTable } from "../plugin/load.ts";
import { PROXY_ERRORS } from "../service-worker/routing/error-codes.ts";
import { SERVICE, TUNNEL } from "./setup/test-worker.ts";

const ROOT = path.join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");

const README = "README.md";
const PAGES = readdirSync(path.join(ROOT, "docs"))
  .filter((file) => file.endsWith(".md"))
  .map((file) => `docs/${file}`);

/** The cells of each row of a Markdown table. */
function rowsOf(text: string): string[][] {
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  return rows.map((row) => row.split(/(?<!\\)\|/).slice(1, -1)).map((row) => row.map((cell) => cell.trim()));
}

it("lists every error code with its group, its meaning and what to do", () => {
  const rows = rowsOf(read("docs/error-codes.md")).filter(([code]) => code?.startsWith("`"));
  expect(rows).toEqual(
    Object.entries(PROXY_ERRORS).map(([code, { group, summary, hint }]) => [`\`${code}\``, group, summary, hint]),
  );
});

it.each([README, "docs/getting-started.md"])("%s: its first vpc.jsonc works", async (file) => {
  const [, example = ""] = /```jsonc\n(\/\/ vpc\.jsonc[^]*?)```/.exec(read(file)) ?? [];
  const loaded = await loadTable({
    workers: [
      {
        workerName: "app",
        rootPath: undefined,
        bindings: [
          { bindingName: "USERS", bindingType: "vpc-service", id: SERVICE },
          { bindingName: "PRIVATE", bindingType: "vpc-network", id: TUNNEL },
        ],
      },
    ],
    source: parse(example),
    env: undefined,
    generation: 1,
  });
  expect(loaded.diagnostics).toEqual([]);
  expect(loaded.table.bindings["app/USERS"]).toMatchObject({ kind: "service" });
  expect(loaded.table.bindings["app/PRIVATE"]).toMatchObject({ kind: "network" });
});

test("the README is short", () => {
  expect(Buffer.byteLength(read(README))).toBeLessThanOrEqual(12 * 1024);
});

/** The anchors that GitHub creates from headings. */
function anchorsOf(file: string): string[] {
  const headings = read(file).matchAll(/^#+ (.+)$/gm);
  return Array.from(headings, ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}

const LINKS = [README, "CONTRIBUTING.md", "test/README.md", ...PAGES].flatMap((file) =>
  [...read(file).matchAll(/\]\((?!https?:)([^)\s]*)\)/g)].map(([, link = ""]) => [file, link] as const),
);

test.each(LINKS)("%s links to %s", (file, link) => {
  const [name = "", anchor] = link.split("#");
  const target = name === "" ? file : path.join(path.dirname(file), name);
  expect(existsSync(path.join(ROOT, target))).toBe(true);
  expect([undefined, ...anchorsOf(target)]).toContain(anchor);
});

test("the README links to every page", () => {
  const text = read(README);
  expect(PAGES.filter((page) => !text.includes(`](${page}`))).toEqual([]);
});

const SOURCES = ["plugin", "service-worker"].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.join(folder, file)),
);

test.each(
  PAGES.flatMap((page) =>
    Array.from(read(page).matchAll(/^\| `([^`]+)` `\[([a-z-]+)\]`/gm), ([, words = "", code = ""]) => [
      page,
      words,
      code,
    ]),
  ),
)("%s: %s [%s] is the printed message", (_, words, code) => {
  // The page has "x" for a value in a template.
  const printed = SOURCES.map(read)
    .filter((text) => text.includes(`"${code}"`))
    .map((text) => text.replaceAll(/"?\$\{[^}]*\}"?/g, '"x"'));
  expect(printed.some((text) => text.includes(words))).toBe(true);
});

/** A `let` at the top of a module, a container that is filled later (constants are in capitals), or a symbol of the process. */
const STATE =
  /^(?:export )?(?:let (\w+)|const ([a-z]\w*)(?:: [^=\n]+)? = (?:new [A-Z]\w*(?:<.*>)?\(|\[\];|\{\};)|const (\w+) = Symbol\.for)/gm;

test("docs/architecture.md lists exactly the module state", () => {
  const kept = SOURCES.flatMap((file) =>
    Array.from(read(file).matchAll(STATE), ([, variable, container, symbol]) =>
      [path.basename(file), variable ?? container ?? symbol].join(": "),
    ),
  );
  const [, section = ""] = /\n## Module state\n([^]*?)\n## /.exec(read("docs/architecture.md")) ?? [];
  const listed = rowsOf(section)
    .filter(([file]) => file?.startsWith("`"))
    .map(([file = "", variable = ""]) => `${path.basename(file)}: ${variable}`.replaceAll("`", ""));
  expect(listed.toSorted()).toEqual(kept.toSorted());
});

test("docs/architecture.md only names files that exist", () => {
  const named = [...read("docs/architecture.md").matchAll(/`((?:plugin|service-worker|test|docs)\/[\w./-]+\.\w+)`/g)];
  expect(named.length).toBeGreaterThan(20);
  expect(named.map(([, file = ""]) => file).filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
});

test("no two modules export the same name", () => {
  const exported = SOURCES.flatMap((file) =>
    Array.from(
      read(file).matchAll(/^export (?:async )?(?:type|interface|class|function|const) (\w+)/gm),
      ([, name]) => name,
    ),
  );
  const twice = exported.filter((name, index) => exported.indexOf(name) < index);
  // Each entry point of the package has its own.
  expect([...new Set(twice)]).toEqual(["withVpc"]);
});
