/**
 * Writes test/capnp/workerd.{js,d.ts}: a decoder for the config format of the installed `workerd`.
 *
 *   node test/capnp/generate.ts           writes it
 *   node test/capnp/generate.ts --check   writes nothing; exit code 1 and a diff if it is out of date
 *
 * Needs the `capnp` command (Debian: `apt-get install capnproto`).
 */

import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { compileAll } from "capnp-es/compiler";

import { workerdPackage } from "./locate-workerd.ts";

/** Replacements for parts that capnp 0.9 can't read or that the decoder doesn't use. */
const SCHEMA_EDITS: readonly [RegExp, string][] = [
  // Removes comments, because a copy would become outdated.
  [/^ *#.*\n/gm, ""],
  // Annotations for the C++ compiler, from an import of newer capnp versions.
  [/^(using Cxx|\$Cxx).*\n/gm, ""],
  // capnp 0.9 doesn't support a bare string as the default of a struct.
  [/= "internet"/, '= (name = "internet")'],
];

// capnp-es resolves its own types from the working directory.
process.chdir(import.meta.dirname);
await using scratch = await makeScratchDirectory();
const decoder = await generateDecoder(scratch.directory);

for (const [file, fresh] of decoder) {
  if (process.argv.includes("--check")) await compare(file, fresh);
  else await writeFile(file, fresh);
}

/**
 * JavaScript and its types, because capnp-es' TypeScript doesn't satisfy `isolatedDeclarations`.
 *
 * @returns file names and their text
 */
async function generateDecoder(directory: string): Promise<Map<string, string>> {
  const schema = await readFile(path.join(workerdPackage(), "workerd.capnp"), "utf8");
  await writeFile(path.join(directory, "workerd.capnp"), editSchema(schema));
  const { files } = await compileAll(compileSchema(directory), { js: true, dts: true });
  return files;
}

/** @returns a Cap'n Proto CodeGeneratorRequest */
function compileSchema(directory: string): Buffer {
  const { error, status, stdout } = spawnSync("capnp", ["compile", "-o-", "workerd.capnp"], {
    cwd: directory,
    // capnp warns if PWD differs from the working directory.
    env: { ...process.env, PWD: directory },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error !== undefined) {
    throw new Error('"capnp" could not be run; on Debian, install it with: apt-get install capnproto', {
      cause: error,
    });
  }
  if (status !== 0) throw new Error(`"capnp compile" exited with ${status}`);
  return stdout;
}

/** @throws if an edit changes nothing, because it is no longer needed or no longer matches */
function editSchema(schema: string): string {
  return SCHEMA_EDITS.reduce((before, [pattern, replacement]) => {
    const after = before.replace(pattern, replacement);
    if (after === before) throw new Error(`${pattern} matches nothing in workerd.capnp; adjust test/capnp/generate.ts`);
    return after;
  }, schema);
}

async function compare(file: string, fresh: string): Promise<void> {
  const freshFile = path.join(scratch.directory, file);
  await writeFile(freshFile, fresh);
  const { error, status } = spawnSync("diff", ["-u", file, freshFile], { stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) {
    console.error(`test/capnp/${file} does not fit the installed workerd. Run: node test/capnp/generate.ts`);
    process.exitCode = 1;
  }
}

async function makeScratchDirectory(): Promise<AsyncDisposable & { directory: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), "capnp-"));
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}
