/** The files in dist/: the packages that they load, when slow modules load, and the licences. */

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { createFolder } from "./setup/vpc-folder.ts";

const DIST = path.join(import.meta.dirname, "../dist");
const bundles = [...readdirSync(DIST), "ui/app.js"].filter((file) => file.endsWith(".js"));
const read = (file: string): string => readFileSync(path.join(DIST, file), "utf8");

function allMatches(expression: RegExp): string[] {
  const found = bundles.flatMap((file) => Array.from(read(file).matchAll(expression), ([, name = ""]) => name));
  return [...new Set(found)].toSorted();
}

test("the bundles only import each other, built-in modules and esbuild", () => {
  const imported = allMatches(/^(?:import|export) .*?from "([^"]+)";$/gm);
  expect(imported.filter((name) => !/^(?:\.\/|cloudflare(?:-internal)?:)/.test(name) && !isBuiltin(name))).toEqual([
    "esbuild",
  ]);
});

test("the page is small, and names no other machine", () => {
  const files = readdirSync(path.join(DIST, "ui")).toSorted();
  expect(files).toEqual(["app.css", "app.js", "icon.svg", "index.html"]);
  const sizes = files.map((file) => gzipSync(readFileSync(path.join(DIST, "ui", file))).length);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(150 * 1024);
  for (const file of ["app.css", "index.html"]) expect(read(`ui/${file}`)).not.toMatch(/\/\//);
});

test("the licence of each bundled package is shipped", () => {
  const bundled = allMatches(/^ *\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm);
  const licenses = read("THIRD-PARTY-LICENSES.txt").split(`\n${"-".repeat(80)}\n\n`);
  const named = licenses.map((license) => /^(\S+) \d+\.\d+\.\d+\n\n/.exec(license)?.[1]);
  expect(named).toEqual(bundled);
  expect(bundled).toContain("valibot");
  for (const license of licenses) expect(license).toMatch(/Copyright[^]*"?AS IS/);
});

const WRANGLER = JSON.stringify({
  name: "app",
  vpc_services: [{ binding: "API", service_id: "e6a0817c-79c5-40ca-9776-a1c019defe70" }],
});

/** Prints the URL of each module that is loaded. */
const PRINT_LOADED = `data:text/javascript,${encodeURIComponent(`import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) });`)}`;

test.each([
  [
    "a vpc.jsonc",
    "check",
    { "vpc.jsonc": `{ "services": { "API": "127.0.0.1:1" } }` },
    { esbuild: false, "node:http": false },
  ],
  [
    "a vpc.config.ts",
    "check",
    { "vpc.config.ts": `export default { services: { API: "127.0.0.1:1" } };` },
    { esbuild: true, "node:http": false },
  ],
  [
    "targets to dial",
    "check --probe",
    { "vpc.jsonc": `{ "services": { "API": "127.0.0.1:1" } }` },
    { esbuild: false, "node:http": true },
  ],
])("slow modules are loaded only if they are needed: %s", async (_, line, files, expected) => {
  await using vpc = await createFolder({ "wrangler.json": WRANGLER, ...files });
  const args = ["--import", PRINT_LOADED, path.join(DIST, "cli.js"), ...line.split(" ")];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: vpc.folder, encoding: "utf8" });
  expect(stdout).toContain("No problems in wrangler.json, ");
  const loaded = { esbuild: stderr.includes("/node_modules/esbuild/"), "node:http": /^node:http$/m.test(stderr) };
  expect(loaded).toEqual(expected);
});
