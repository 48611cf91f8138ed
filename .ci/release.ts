/**
 * `npm run release`: checks that this commit can be released, builds and packs it, tries the tarball in an empty project,
 * and tags the commit. Publishes nothing.
 *
 *   --check   only checks
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

export interface Candidate {
  /** What `git status --porcelain` prints. */
  status: string;
  tags: readonly string[];
  /** The version in package.json; `lockVersions` has those of the two places in package-lock.json. */
  version: string;
  lockVersions: readonly (string | undefined)[];
  changelog: string;
}

/** @returns each reason why it can't be released, with what to do; empty if it can */
export function findObstacles({ status, tags, version, lockVersions, changelog }: Candidate): string[] {
  const obstacles: string[] = [];
  if (status.trim() !== "") obstacles.push(`The work tree is not clean. Commit or remove:\n${status.trimEnd()}`);
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
    obstacles.push(`The version ${JSON.stringify(version)} in package.json is not a version such as 1.2.3.`);
  }
  if (lockVersions.some((locked) => locked !== version)) {
    obstacles.push(
      `package-lock.json has version ${lockVersions.join(" and ")}, but package.json has ${version}. Run: npm version ${version} --no-git-tag-version --allow-same-version`,
    );
  }
  if (tags.includes(`v${version}`)) obstacles.push(`The tag v${version} already exists. Raise the version.`);
  const [heading = ""] = /^## .*$/m.exec(changelog) ?? [];
  const [, headed, date = ""] = /^## (\S+) \((\d{4}-\d{2}-\d{2})\)$/.exec(heading) ?? [];
  if (headed !== version || Number.isNaN(Date.parse(date))) {
    obstacles.push(
      `The first heading of CHANGELOG.md is ${JSON.stringify(heading)}, but must be "## ${version} (YYYY-MM-DD)".`,
    );
  }
  return obstacles;
}

const ROOT = path.join(import.meta.dirname, "..");

/** @throws {Error} with what was printed, if it fails */
function run(command: string, args: readonly string[], cwd: string = ROOT): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function read(name: string): string {
  return readFileSync(path.join(ROOT, name), "utf8");
}

function readCandidate(): Candidate {
  const { version }: { version: string } = JSON.parse(read("package.json"));
  const lock: { version: string; packages: Record<string, { version?: string }> } = JSON.parse(
    read("package-lock.json"),
  );
  return {
    status: run("git", ["status", "--porcelain"]),
    tags: run("git", ["tag", "--list"]).split("\n"),
    version,
    lockVersions: [lock.version, lock.packages[""]?.version],
    changelog: read("CHANGELOG.md"),
  };
}

/** Installs the package from its tarball in an empty project, as a user does. */
function tryTarball(tarball: string, version: string): void {
  const project = mkdtempSync(path.join(tmpdir(), "miniflare-vpc-release-"));
  try {
    writeFileSync(path.join(project, "package.json"), '{ "private": true }\n');
    run("npm", ["install", "--no-audit", "--no-fund", "--loglevel", "error", tarball], project);
    const command = path.join(project, "node_modules/miniflare-vpc/dist/cli.js");
    const printed = run(process.execPath, [command, "--version"], project).trim();
    if (printed !== version) throw new Error(`The installed command says ${printed}, but this is ${version}.`);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

function release(isCheck: boolean): void {
  const candidate = readCandidate();
  const { version } = candidate;
  const obstacles = findObstacles(candidate);
  if (obstacles.length > 0) throw new Error(obstacles.join("\n"));
  console.log(`miniflare-vpc ${version} can be released.`);
  if (isCheck) return;

  run("npm", ["run", "build"]);
  run("npm", ["pack", "--ignore-scripts", "--pack-destination", ROOT]);
  const tarball = path.join(ROOT, `miniflare-vpc-${version}.tgz`);
  run("publint", ["run", tarball, "--strict"]);
  run("attw", [tarball, "--profile", "esm-only"]);
  tryTarball(tarball, version);
  run("git", ["tag", "--annotate", `v${version}`, "--message", `miniflare-vpc ${version}`]);
  console.log(`Packed ${tarball} and tagged v${version}. To publish, run:
    git push --follow-tags
    npm publish ${tarball}`);
}

if (import.meta.main) {
  const { check } = parseArgs({ options: { check: { type: "boolean", default: false } } }).values;
  try {
    release(check);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
