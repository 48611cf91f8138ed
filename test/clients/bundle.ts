/** Bundles a Worker with wrangler, as for a deploy. */

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { parse } from "jsonc-parser";
import type { MiniflareOptions } from "miniflare";

/** Its "alias" replaces `node:net` in bundles, so that they dial through the VPC Network `NETWORK`. */
const CONFIG = path.resolve(import.meta.dirname, "../../fixtures/client-libraries/wrangler.jsonc");

export const COMPATIBILITY: { compatibilityDate: string; compatibilityFlags: string[] } = {
  compatibilityDate: "2026-11-01",
  compatibilityFlags: ["nodejs_compat"],
};

/** Copies the fixture's wrangler config to `folder`, with absolute paths. @returns its path */
async function writeAliases(folder: string): Promise<string> {
  const config: { alias: Record<string, string> } = parse(await readFile(CONFIG, "utf8"));
  const alias = Object.entries(config.alias).map(([name, file]) => [name, path.resolve(path.dirname(CONFIG), file)]);
  const written = path.join(folder, "wrangler.json");
  await writeFile(written, JSON.stringify({ ...config, alias: Object.fromEntries(alias) }));
  return written;
}

type Manifest = NonNullable<MiniflareOptions["workers"][number]["config"]["manifest"]>;

const WRANGLER = path.join(
  path.dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
  "bin/wrangler.js",
);

/**
 * @param entry the Worker's file
 * @param isAliased whether to use the wrangler config of `fixtures/client-libraries`
 */
export async function bundle(entry: string, { isAliased }: { isAliased?: boolean } = {}): Promise<Manifest> {
  const folder = await mkdtemp(path.join(tmpdir(), "miniflare-vpc-bundle-"));
  try {
    const flags = COMPATIBILITY.compatibilityFlags.flatMap((flag) => ["--compatibility-flags", flag]);
    const plain = ["--name", "clients", "--compatibility-date", COMPATIBILITY.compatibilityDate, ...flags];
    const args = [entry, ...(isAliased ? ["--config", await writeAliases(folder)] : plain)];
    await promisify(execFile)(process.execPath, [WRANGLER, "deploy", ...args, "--dry-run", "--outdir", folder], {
      cwd: folder,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    const files = (await readdir(folder)).filter((file) => file.endsWith(".js"));
    const modules = await Promise.all(
      files.map(
        async (file) => [file, { type: "esm", contents: await readFile(path.join(folder, file), "utf8") }] as const,
      ),
    );
    return { mainModule: `${path.parse(entry).name}.js`, modules: Object.fromEntries(modules) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
