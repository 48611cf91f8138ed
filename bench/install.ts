/** What the installation costs: time and size of the packed package, alone and next to wrangler. The npm cache is warm. */

import { execFile } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import manifest from "../package.json" with { type: "json" };
import { append } from "./cpu-time.ts";
import { type Samples, type Subject, again, measure } from "./measure.ts";
import { type BenchReport, report } from "./report.ts";
import type { SuiteContext } from "./suite.ts";

const ROOT = path.join(import.meta.dirname, "..");
const WRANGLER = "wrangler";
const OURS = "miniflare-vpc";
const BOTH = "wrangler and miniflare-vpc";

export async function* benchInstall({ isQuick }: SuiteContext): AsyncGenerator<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), "miniflare-vpc-bench-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const tarball = await pack(folder);
  const wrangler = `wrangler@${manifest.devDependencies.wrangler}`;
  const sizes: Samples = new Map();
  const subject = (name: string, packages: readonly string[]): Subject => ({
    name,
    operations: 1,
    run: () => install(name, packages, { folder: path.join(folder, "project"), sizes }),
  });
  const subjects = [subject(WRANGLER, [wrangler]), subject(OURS, [tarball]), subject(BOTH, [wrangler, tarball])];
  // Fills the cache of npm. The network is not what is measured.
  for (const each of subjects) await each.run(1);
  sizes.clear();
  const [first] = subjects;
  const time = await measure([...subjects, ...(first ? [again(first)] : [])], {
    seconds: 0,
    atLeast: isQuick ? 1 : 5,
    sample: 0,
  });
  yield report({
    title: "npm install, with a warm cache",
    operation: "an installation",
    samples: time,
    pairs: [
      { subject: `${WRANGLER}, again`, against: WRANGLER },
      { subject: BOTH, against: WRANGLER },
    ],
    plain: [{ subject: OURS }],
  });
  yield report({
    title: "Size on disk of node_modules",
    operation: "in files",
    unit: "MB",
    samples: sizes,
    pairs: [{ subject: BOTH, against: WRANGLER }],
    plain: [{ subject: OURS }],
  });
}

/** @returns the path of the tarball that npm would publish */
async function pack(folder: string): Promise<string> {
  await npm(["pack", "--ignore-scripts", "--pack-destination", folder], ROOT);
  const file = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (file === undefined) throw new Error("npm pack made no tarball");
  return path.join(folder, file);
}

/** @returns milliseconds */
async function install(
  name: string,
  packages: readonly string[],
  { folder, sizes }: { folder: string; sizes: Samples },
): Promise<number> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await writeFile(path.join(folder, "package.json"), '{ "private": true }\n');
  const started = performance.now();
  await npm(["install", "--no-audit", "--no-fund", "--prefer-offline", ...packages], folder);
  const taken = performance.now() - started;
  append(sizes, name, (await sizeOf(path.join(folder, "node_modules"))) / 1e6);
  return taken;
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  // `npm run` names its own file. On Windows, `npm` itself is a script that only a shell can run.
  const script = process.env["npm_execpath"];
  const [file, first] = script === undefined ? ["npm", []] : [process.execPath, [script]];
  await promisify(execFile)(file, [...first, ...args], { cwd });
}

/** @returns bytes of all files below a folder. A file with several names counts once */
async function sizeOf(folder: string): Promise<number> {
  const seen = new Set<number>();
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const { ino, size } = await lstat(path.join(entry.parentPath, entry.name));
    if (entry.isDirectory() || seen.has(ino)) continue;
    seen.add(ino);
    bytes += size;
  }
  return bytes;
}
