/**
 * `vpc.config.*` → a document: bundled in memory, then imported. Leaves no file behind; its functions
 * run in this process.
 */

import { readFile } from "node:fs/promises";
import { SourceMap, isBuiltin } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { type BuildFailure, type Message, type OutputFile, type Plugin, build } from "esbuild";

import type { Diagnostic } from "../diagnostics.ts";
import { toError } from "../error.ts";
import { locateInScript } from "./locate.ts";
import { type ReadResult, unreadable } from "./read-vpc.ts";

const OWN_PACKAGE = "miniflare-vpc";
const ENTRY = "<entry>";
const META_NAMESPACE = "import-meta";
const META_PREFIX = `${META_NAMESPACE}:`;
const META_NAME = "__vpc_import_meta";
/** The oldest Node that wrangler runs on. */
const BUILD_TARGET = "node22.12";

let imports = 0;

/** @param file absolute path */
export async function readModule(file: string): Promise<Omit<ReadResult, "file">> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    return { document: undefined, diagnostics: [unreadable(file, error)], watch: [file] };
  }
  const bundle = await bundleModule(file);
  if ("diagnostics" in bundle) return { document: undefined, ...bundle };
  const { watch } = bundle;
  const module = await importBundle(bundle, file);
  if ("diagnostic" in module) return { document: undefined, diagnostics: [module.diagnostic], watch };
  if (!module.hasDefault) {
    const diagnostic: Diagnostic = {
      severity: "error",
      code: "no-default-export",
      text: "the vpc config has no default export",
      file,
      notes: ["Write export default defineVpcConfig({ … })."],
    };
    return { document: undefined, diagnostics: [diagnostic], watch };
  }
  const document = { file, folder: path.dirname(file), value: module.value, locate: locateInScript(text) };
  return { document, diagnostics: [], watch };
}

interface Bundle {
  code: string;
  sourceMap: string;
  watch: string[];
}

async function bundleModule(file: string): Promise<Bundle | Pick<ReadResult, "diagnostics" | "watch">> {
  const folder = path.dirname(file);
  try {
    const result = await build({
      stdin: { contents: entryFor(file), sourcefile: ENTRY, resolveDir: folder },
      absWorkingDir: folder,
      bundle: true,
      write: false,
      outfile: path.join(folder, "vpc.config.bundle.mjs"),
      format: "esm",
      platform: "node",
      target: BUILD_TARGET,
      sourcemap: "external",
      metafile: true,
      logLevel: "silent",
      define: {
        "import.meta.url": `${META_NAME}.url`,
        "import.meta.dirname": `${META_NAME}.dirname`,
        "import.meta.filename": `${META_NAME}.filename`,
      },
      plugins: [importMeta, externalPackages],
    });
    const inputs = Object.keys(result.metafile.inputs).filter(
      (input) => input !== ENTRY && !input.startsWith(META_PREFIX) && !input.startsWith(`${OWN_PACKAGE}:`),
    );
    return {
      code: outputOf(result.outputFiles, ".mjs"),
      sourceMap: outputOf(result.outputFiles, ".map"),
      watch: inputs.map((input) => path.resolve(folder, input)),
    };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const diagnostics = error.errors.map((message) => diagnose(message, file));
    return { diagnostics, watch: [...new Set([file, ...diagnostics.map((diagnostic) => diagnostic.file)])] };
  }
}

/** What the bundle exports. */
interface BundledConfig {
  hasDefault: boolean;
  value: unknown;
}

/** Waits inside of the bundle, for test runners that rewrite imports take a default export that is a promise apart. */
function entryFor(file: string): string {
  return `import * as config from ${JSON.stringify(file)};
export const hasDefault = "default" in config;
export const value = await config.default;`;
}

async function importBundle(
  { code, sourceMap }: Bundle,
  file: string,
): Promise<BundledConfig | { diagnostic: Diagnostic }> {
  // A new URL each time, or an edit would be answered from the module cache. The name is for stack traces.
  const name = `${pathToFileURL(file).href}?bundled=${(imports += 1)}`;
  const url = `data:text/javascript;base64,${Buffer.from(`${code}\n//# sourceURL=${name}`).toString("base64")}`;
  try {
    const module: BundledConfig = await import(url);
    return module;
  } catch (error) {
    const { message, stack = "" } = toError(error);
    // Who replaces Error.prepareStackTrace, as test runners do, may not know sourceURL.
    const at = thrownAt(stack.replaceAll(url, name), { name, sourceMap, folder: path.dirname(file) });
    const text = `the vpc config threw while it was loaded: ${message}`;
    return { diagnostic: { severity: "error", code: "config-threw", text, file, ...at, notes: [] } };
  }
}

/** Where in the sources the topmost frame of the bundle is. */
function thrownAt(
  stack: string,
  { name, sourceMap, folder }: { name: string; sourceMap: string; folder: string },
): Pick<Diagnostic, "file" | "line" | "column"> | undefined {
  const start = stack.indexOf(`${name}:`);
  const [, line, column] = start === -1 ? [] : (/^:(\d+):(\d+)/.exec(stack.slice(start + name.length)) ?? []);
  if (line === undefined || column === undefined) return undefined;
  const origin = new SourceMap(JSON.parse(sourceMap)).findOrigin(Number(line), Number(column));
  if (!("fileName" in origin)) return undefined;
  return { file: path.resolve(folder, origin.fileName), line: origin.lineNumber, column: origin.columnNumber };
}

/** Keeps installed packages out of the bundle; everything else is the user's own source. */
const externalPackages: Plugin = {
  name: "external-packages",
  setup(build) {
    build.onResolve({ filter: /^[^./#]/ }, async ({ path: specifier, kind, importer, resolveDir, pluginData }) => {
      if (kind === "entry-point" || pluginData === externalPackages || path.isAbsolute(specifier)) return undefined;
      if (isBuiltin(specifier)) return { path: specifier, external: true };
      // Run from elsewhere (npx), this package need not be installed beside the config.
      if (specifier === OWN_PACKAGE) return { path: specifier, namespace: OWN_PACKAGE };
      const resolved = await build.resolve(specifier, { kind, importer, resolveDir, pluginData: externalPackages });
      if (resolved.errors.length > 0) return undefined;
      const isInstalled = resolved.path.split(path.sep).includes("node_modules");
      return isInstalled ? { path: pathToFileURL(resolved.path).href, external: true } : resolved;
    });
    build.onLoad({ filter: /.*/, namespace: OWN_PACKAGE }, () => ({
      contents: "export const defineVpcConfig = (config) => config;",
    }));
  },
};

/** Gives each source its own `import.meta`, of which the bundle would have but one. */
const importMeta: Plugin = {
  name: "import-meta",
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]s$/, namespace: "file" }, async ({ path: file }) => {
      const text = await readFile(file, "utf8");
      if (!text.includes("import.meta.")) return undefined;
      // At the end, where it moves no line; an import is evaluated before the rest all the same.
      const contents = `${text}\nimport * as ${META_NAME} from ${JSON.stringify(`${META_PREFIX}${file}`)};`;
      return { contents, loader: file.at(-2) === "t" ? "ts" : "js" };
    });
    build.onResolve({ filter: new RegExp(`^${META_PREFIX}`) }, ({ path: specifier }) => ({
      path: specifier.slice(META_PREFIX.length),
      namespace: META_NAMESPACE,
    }));
    build.onLoad({ filter: /.*/, namespace: META_NAMESPACE }, ({ path: file }) => {
      const meta = { url: pathToFileURL(file).href, dirname: path.dirname(file), filename: file };
      return { contents: JSON.stringify(meta), loader: "json" };
    });
  },
};

function diagnose(message: Message, file: string): Diagnostic {
  const { location } = message;
  const before = Buffer.from(location?.lineText ?? "").subarray(0, location?.column ?? 0);
  return {
    severity: "error",
    code: "config-syntax",
    text: message.text,
    file: location === null ? file : path.resolve(path.dirname(file), location.file),
    ...(location === null ? {} : { line: location.line, column: before.toString().length + 1 }),
    notes: message.notes.map((note) => note.text),
  };
}

function outputOf(files: readonly OutputFile[], extension: string): string {
  return files.find((file) => file.path.endsWith(extension))?.text ?? "";
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}
