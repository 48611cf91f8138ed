/**
 * Reads a `vpc.config.*` into a document: bundles it in memory, then imports it. Writes no file. The config's functions
 * run in this process.
 */

import { SourceMap, isBuiltin } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { type BuildFailure, type Message, type Metafile, type OutputFile, type Plugin, build } from "esbuild";

import type { Diagnostic } from "../diagnostics.ts";
import { toError } from "../system/error.ts";
import { readFile } from "./read-file.ts";
import { refuseExit } from "./refuse-exit.ts";
import { locateInScript } from "./locate.ts";
import { type ReadResult, unreadable } from "./result.ts";

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
    text = readFile(file).toString();
  } catch (error) {
    return { document: undefined, diagnostics: [unreadable(file, error)], watch: [file] };
  }
  let watch = [file];
  const loading = bundleModule(file).then(async (bundle) => {
    watch = bundle.watch;
    return "diagnostics" in bundle ? bundle : importBundle(bundle, file);
  });
  const module = (await settled(loading)) ?? { diagnostic: neverLoaded(file) };
  if ("diagnostics" in module) return { document: undefined, ...module };
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

/** Milliseconds. Long enough for a config that starts its own servers first. */
const DEADLINE = 30_000;

/** @returns undefined if it takes too long, or if it can never settle because this process has nothing else to do */
async function settled<Result>(loading: Promise<Result>): Promise<Result | undefined> {
  const { promise: given, resolve: giveUp } = Promise.withResolvers<undefined>();
  const onIdle = (): void => giveUp(undefined);
  const timer = setTimeout(onIdle, DEADLINE).unref();
  process.once("beforeExit", onIdle);
  try {
    return await Promise.race([loading, given]);
  } finally {
    clearTimeout(timer);
    process.removeListener("beforeExit", onIdle);
  }
}

function neverLoaded(file: string): Diagnostic {
  return {
    severity: "error",
    code: "config-hangs",
    text: `the vpc config waits for something that never happens, or takes more than ${DEADLINE / 1000} s to load`,
    file,
    notes: ["Look for an await at its top level, or in a module that it imports."],
  };
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
      // The config and its imports can be links. esbuild names only the files that they lead to.
      watch: [...new Set([file, ...inputs.flatMap((input) => namesOf(input, result.metafile, folder))])],
    };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const diagnostics = error.errors.map((message) => diagnose(message, file));
    const missing = error.errors.flatMap((message) => missingImport(message, folder));
    return {
      diagnostics,
      watch: [...new Set([file, ...diagnostics.map((diagnostic) => diagnostic.file), ...missing])],
    };
  }
}

/** @returns the absolute paths of a source, and of its imports as they are written, which can be links */
function namesOf(input: string, { inputs }: Metafile, folder: string): string[] {
  const source = path.resolve(folder, input);
  const imported = (inputs[input]?.imports ?? []).flatMap(({ original, path: resolved }) => {
    if (original === undefined || !original.startsWith(".")) return [];
    const named = path.resolve(path.dirname(source), original);
    const extension = path.extname(resolved);
    return [path.extname(named) === extension ? named : `${named}${extension}`];
  });
  return [source, ...imported];
}

/** @returns the paths where a missing import could be created */
function missingImport({ text, location }: Message, folder: string): string[] {
  const specifier = /^Could not resolve "(\..*)"$/.exec(text)?.[1];
  if (specifier === undefined || location === null) return [];
  const named = path.resolve(folder, path.dirname(location.file), specifier);
  return ["", ".ts", ".mts", ".js", ".mjs", ".json"].map((extension) => `${named}${extension}`);
}

/** The exports of the bundle. */
interface BundledConfig {
  hasDefault: boolean;
  value: unknown;
}

/** Awaits the config inside the bundle, because test runners that rewrite imports break a default export that is a promise. */
function entryFor(file: string): string {
  return `import * as config from ${JSON.stringify(file)};
export const hasDefault = "default" in config;
export const value = await config.default;`;
}

async function importBundle(
  { code, sourceMap }: Bundle,
  file: string,
): Promise<BundledConfig | { diagnostic: Diagnostic }> {
  // A new URL each time, so that the module cache doesn't return the config before an edit. The name is for stack traces.
  const name = `${pathToFileURL(file).href}?bundled=${(imports += 1)}`;
  const url = `data:text/javascript;base64,${Buffer.from(`${code}\n//# sourceURL=${name}`).toString("base64")}`;
  const release = refuseExit([name, url]);
  try {
    const module: BundledConfig = await import(url);
    return module;
  } catch (error) {
    const { message, stack = "" } = toError(error);
    // Test runners replace Error.prepareStackTrace, and theirs may ignore sourceURL.
    const at = thrownAt(stack.replaceAll(url, name), { name, sourceMap, folder: path.dirname(file) });
    const text = `the vpc config threw while it was loaded: ${message}`;
    return { diagnostic: { severity: "error", code: "config-threw", text, file, ...at, notes: [] } };
  } finally {
    release();
  }
}

/** Finds the place of the bundle's topmost stack frame in the sources. */
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

/** Keeps installed packages out of the bundle. Everything else is the user's own source. */
const externalPackages: Plugin = {
  name: "external-packages",
  setup(build) {
    build.onResolve({ filter: /^[^./#]/ }, async ({ path: specifier, kind, importer, resolveDir, pluginData }) => {
      if (kind === "entry-point" || pluginData === externalPackages || path.isAbsolute(specifier)) return undefined;
      if (isBuiltin(specifier)) return { path: specifier, external: true };
      // This package may not be installed next to the config, for example if npx runs it.
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

/** Gives each source its own `import.meta`, because the bundle has only one. */
const importMeta: Plugin = {
  name: "import-meta",
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]s$/, namespace: "file" }, ({ path: file }) => {
      const text = readFile(file).toString();
      if (!text.includes("import.meta.")) return undefined;
      // At the end, so that no line moves. An import is evaluated first anyway.
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
