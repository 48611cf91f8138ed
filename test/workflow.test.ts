/** `.github/workflows/ci.yml`, as far as it can be checked without GitHub: its schema, its shell, and what it names. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { build } from "esbuild";
import { expect, test } from "vitest";
import { parse } from "yaml";

import manifest from "../package.json" with { type: "json" };
import { testOn } from "./setup/only-on.ts";
import { REPOSITORY } from "./wrangler/temporary-project.ts";

interface Workflow {
  jobs: Record<
    string,
    { strategy?: { matrix: { os: string[]; node: string[] } }; steps: { run?: string; uses?: string }[] }
  >;
}

const read = (name: string): string => readFileSync(path.join(REPOSITORY, name), "utf8");
const WORKFLOW = read(".github/workflows/ci.yml");
const { jobs }: Workflow = parse(WORKFLOW);
const SHELL = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
const RUN = read(".ci/run");

/** Node can't load the package as it is, because it imports JSON without saying so. */
async function loadParser(): Promise<typeof import("@actions/workflow-parser")> {
  const { outputFiles } = await build({
    stdin: { contents: 'export * from "@actions/workflow-parser";', resolveDir: REPOSITORY },
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  const source = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
  return (await import(`data:text/javascript;base64,${source}`)) as typeof import("@actions/workflow-parser");
}

const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await loadParser();

/** @returns what GitHub reports for a workflow */
async function problemsIn(content: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name: "ci.yml", content }, new NoOperationTraceWriter());
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

test.each([".github/workflows/ci.yml", "fixtures/ci/.github/workflows/test.yml"])(
  "GitHub's own parser accepts %s",
  async (name) => {
    expect(await problemsIn(read(name))).toEqual([]);
  },
);

test.each([
  ["an unknown key", WORKFLOW.replace("runs-on:", "run-on:")],
  ["an unknown context", WORKFLOW.replace("matrix.node }}", "matrices.node }}")],
  ["a broken expression", WORKFLOW.replace("github.ref }}", "github. }}")],
])("the parser reports %s", async (_, broken) => {
  expect(broken).not.toBe(WORKFLOW);
  expect(await problemsIn(broken)).not.toEqual([]);
});

testOn("posix", "bash is not on every PATH", "bash accepts each command", () => {
  const scripts = [...SHELL, read(".ci/run"), read(".ci/install-servers")];
  const found = scripts.map((script) => spawnSync("bash", ["-n"], { input: script, encoding: "utf8" }));
  expect(found.map(({ status, stderr }) => ({ status, stderr }))).toEqual(found.map(() => ({ status: 0, stderr: "" })));
});

test("each npm script and each file that it names exists", () => {
  const text = SHELL.join("\n");
  const scripts = Array.from(text.matchAll(/npm (?:run )?(\S+)/g), ([, script = ""]) => script);
  const own = scripts.filter((script) => !["ci", "pack"].includes(script));
  expect(own.filter((script) => !(script in manifest.scripts))).toEqual([]);
  const files = text.match(/\.ci\/[\w.-]+/g) ?? [];
  expect(files).not.toEqual([]);
  expect(files.filter((file) => !existsSync(path.join(REPOSITORY, file)))).toEqual([]);
});

test("it runs on three systems, with the oldest Node.js that is supported and the one that is pinned", () => {
  const matrix = jobs["test"]?.strategy?.matrix;
  expect(matrix?.os).toEqual(["ubuntu-latest", "macos-latest", "windows-latest"]);
  const [pinned = ""] = manifest.devDependencies.node.split(".");
  expect(matrix?.node.map((version) => version.replace(/^(?=\d+\.)/, ">="))).toEqual([manifest.engines.node, pinned]);
});

test("every npm script and file of .ci that .ci/run starts is in it", () => {
  const started = RUN.split("\n").flatMap((line) => {
    const [, script] = /^tests "[^"]*" (\S+)$/.exec(line) ?? /^step "[^"]*" npm run (\S+)/.exec(line) ?? [];
    const [, file] = /^step "[^"]*" (?:node )?(\.ci\/\S+)/.exec(line) ?? [];
    return [script, file].filter((each) => each !== undefined);
  });
  expect(started).toEqual(expect.arrayContaining(["test", "lint", "test:servers", "soak", ".ci/smoke.ts"]));
  // The demo needs no system of its own: test:fixtures and the smoke test run more of the same.
  const missing = started.filter((each) => !SHELL.some((line) => line.split(" ").includes(each)));
  expect(missing).toEqual(["demo", "demo"]);
});
