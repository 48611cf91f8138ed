/** A Worker as wrangler itself bundles it for upload, which is what a user's Worker is. */

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { MiniflareOptions } from "miniflare";

export const COMPATIBILITY: { compatibilityDate: string; compatibilityFlags: string[] } = {
  compatibilityDate: "2026-11-01",
  compatibilityFlags: ["nodejs_compat"],
};

type Manifest = NonNullable<MiniflareOptions["workers"][number]["config"]["manifest"]>;

const WRANGLER = path.join(
  path.dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
  "bin/wrangler.js",
);

/** @param entry file of the Worker */
export async function bundle(entry: string): Promise<Manifest> {
  const folder = await mkdtemp(path.join(tmpdir(), "miniflare-vpc-bundle-"));
  try {
    const flags = COMPATIBILITY.compatibilityFlags.flatMap((flag) => ["--compatibility-flags", flag]);
    const args = [entry, "--name", "clients", "--compatibility-date", COMPATIBILITY.compatibilityDate, ...flags];
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
    return { mainModule: `${path.basename(entry, ".ts")}.js`, modules: Object.fromEntries(modules) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
