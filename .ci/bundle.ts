/**
 * Bundles the package into dist/: the service worker for workerd, the plugin for Node, and a page for browsers. Everything that runs is in the
 * bundles except esbuild, which is a binary. Writes the licences of the packages that are in them.
 */

import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type BuildOptions, type Metafile, build } from "esbuild";

const ROOT = path.join(import.meta.dirname, "..");

const SHARED = {
  absWorkingDir: ROOT,
  outdir: "dist",
  bundle: true,
  format: "esm",
  logLevel: "warning",
  metafile: true,
} satisfies BuildOptions;

const SERVICE_WORKER = {
  ...SHARED,
  entryPoints: {
    "service-worker": "service-worker/index.ts",
    facade: "service-worker/binding/facade.ts",
    hyperdrive: "service-worker/binding/hyperdrive.ts",
    "test-binding": "service-worker/binding/test-binding.ts",
  },
  target: "es2024",
  external: ["cloudflare:*", "cloudflare-internal:*"],
} satisfies BuildOptions;

/** Runs in workerd, in the bundle of a vitest test; the setup file also in Node. */
const TEST = {
  ...SHARED,
  entryPoints: { "test/index": "plugin/test/index.ts", "test/setup": "plugin/test/setup.ts" },
  target: "es2024",
  external: ["vitest", "node:async_hooks"],
} satisfies BuildOptions;

const PLUGIN = {
  ...SHARED,
  entryPoints: {
    index: "plugin/index.ts",
    cli: "plugin/cli.ts",
    vitest: "plugin/adapters/vitest.ts",
    vite: "plugin/adapters/vite.ts",
    wrangler: "plugin/adapters/wrangler.ts",
    "test/node": "plugin/test/node.ts",
    "openapi-worker": "plugin/stand-ins/openapi-worker.ts",
  },
  splitting: true,
  platform: "node",
  target: "node22.12",
  external: ["esbuild"],
  // The CommonJS builds of these packages call require(), which an ES module does not have.
  mainFields: ["module", "main"],
  alias: { yaml: "./node_modules/yaml/browser/index.js" },
} satisfies BuildOptions;

/** The page that shows the traffic, for browsers. Not minified, because it travels over loopback only. */
const UI = {
  ...SHARED,
  entryPoints: ["main.tsx", "app.css"].map((file) => ({ in: `plugin/ui/app/${file}`, out: "ui/app" })),
  jsx: "automatic",
  jsxImportSource: "preact",
  target: ["chrome120", "firefox121", "safari17"],
} satisfies BuildOptions;

/** Its files that need no build. */
const UI_FILES = ["index.html", "icon.svg"];

/** @returns the folders of the packages that the bundles contain */
function packagesIn(metafiles: readonly Metafile[]): string[] {
  const sources = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([source, { bytesInOutput }]) => (bytesInOutput > 0 ? [source] : [])),
    ),
  );
  const folders = sources.flatMap((source) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source) ?? []);
  return [...new Set(folders)].toSorted();
}

/** @throws {Error} if the package has no licence file */
function licenseOf(folder: string): string {
  const { name, version }: { name: string; version: string } = JSON.parse(
    readFileSync(path.join(ROOT, folder, "package.json"), "utf8"),
  );
  const file = readdirSync(path.join(ROOT, folder)).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${folder} has no licence file, so it can't be part of a bundle`);
  return `${name} ${version}\n\n${readFileSync(path.join(ROOT, folder, file), "utf8").trim()}\n`;
}

const built = await Promise.all([build(SERVICE_WORKER), build(PLUGIN), build(TEST), build(UI)]);
for (const file of UI_FILES) copyFileSync(path.join(ROOT, "plugin/ui/app", file), path.join(ROOT, "dist/ui", file));
const licenses = packagesIn(built.map(({ metafile }) => metafile)).map(licenseOf);
writeFileSync(path.join(ROOT, "dist/THIRD-PARTY-LICENSES.txt"), licenses.join(`\n${"-".repeat(80)}\n\n`));
