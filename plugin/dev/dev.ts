/**
 * `miniflare-vpc dev`: the user's own `wrangler dev`, started with a generated config beside each of
 * the user's. Reads configs and writes siblings; the plugin in wrangler's process does the rest.
 *
 *   wrangler.jsonc ─┐
 *                   ├─▶ .wrangler-vpc-<pid>-<n>.json ──▶ wrangler dev --config
 *   vpc.jsonc ──────┘   (only which bindings are "remote")
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { parseDevArgs, replaceConfigs } from "./dev-args.ts";
import { type Diagnostic, formatDiagnostics, formatLocation, isDiagnostic } from "../diagnostics.ts";
import { packageEntry } from "../with-vpc.ts";
import { findConfigs } from "./find-configs.ts";
import { findEnvironment } from "./find-environment.ts";
import { loadProject, type Project, siblingsOf } from "./project.ts";
import { type Exit, findWrangler, runWrangler } from "./run-wrangler.ts";
import { SiblingFiles } from "./sibling-files.ts";
import { generatesTypes } from "./sibling.ts";
import { watchFiles } from "../watch.ts";

const DEV_USAGE = `miniflare-vpc dev [arguments of wrangler dev]

Runs your own wrangler dev with vpc_services and vpc_networks served on this machine, as the vpc config
beside the wrangler config says. Every argument is handed through:

    miniflare-vpc dev
    miniflare-vpc dev --env staging --port 8788
    miniflare-vpc dev -c api/wrangler.jsonc -c jobs/wrangler.toml

See wrangler dev --help for them all.`;

/** wrangler compares it with the config it runs, which is the generated one. */
const TYPES_FILE = "worker-configuration.d.ts";

/** @param argv what follows `dev` on the command line */
export async function runDev(argv: readonly string[]): Promise<Exit> {
  const args = parseDevArgs(argv);
  if (args.isHelp) {
    console.log(DEV_USAGE);
    return 0;
  }
  if (args.wantsNewConfig) {
    console.error("miniflare-vpc: a cloudflare.config.ts is not supported; leave out --experimental-new-config.");
    return 1;
  }
  const cwd = path.resolve(args.cwd ?? ".");
  const env = findEnvironment(args, { cwd, processEnv: process.env });
  const sources = findConfigs(args, cwd);
  if (isDiagnostic(sources)) {
    console.error(formatDiagnostics([sources]));
    return 1;
  }
  const wrangler = findWrangler([...sources.map(({ userFile }) => path.dirname(userFile)), cwd]);
  if (wrangler.type === "missing") {
    console.error(`miniflare-vpc: ${wrangler.reason}`);
    return 1;
  }
  if (args.isRemote || sources.length === 0) {
    say(args.isRemote ? "with --remote the real VPC bindings are used" : "found no wrangler config");
    return await runWrangler(wrangler.bin, ["dev", ...argv]);
  }

  const request = { sources, env, workerName: args.workerName };
  const start = await loadProject(request);
  if (start.project === undefined) {
    console.error(formatDiagnostics(start.diagnostics));
    return 1;
  }
  announce(start.project, { cwd, env, wantsTypes: args.wantsTypes });

  using siblings = new SiblingFiles();
  const write = (project: Project): { files: string[]; failures: Diagnostic[] } => {
    const written = siblingsOf(project, { env, pluginPackage: packageEntry() }).map(({ file, content }, position) =>
      siblings.write(file, position, content),
    );
    return {
      files: written.filter((result) => typeof result === "string"),
      failures: written.filter((result) => typeof result === "object"),
    };
  };
  const { files, failures } = write(start.project);
  if (failures.length > 0) {
    console.error(formatDiagnostics(failures));
    return 1;
  }

  let lastGood = start.project;
  const reload = async (): Promise<readonly string[]> => {
    const { project, diagnostics, files: watched } = await loadProject(request, lastGood);
    if (project !== undefined) diagnostics.push(...write((lastGood = project)).failures);
    if (diagnostics.length > 0) console.error(`${formatDiagnostics(diagnostics)}\nThe last good one stays in force.`);
    return watched;
  };
  const watch = watchFiles(start.files, reload, (error) => console.error(error));
  try {
    return await runWrangler(wrangler.bin, ["dev", ...replaceConfigs(args, files)]);
  } finally {
    watch.close();
  }
}

/** Says what a user may not expect. */
function announce(
  { workers }: Project,
  { cwd, env, wantsTypes }: { cwd: string; env: string | undefined; wantsTypes: boolean },
): void {
  if (workers.every(({ bindings }) => bindings.length === 0)) {
    const names = workers.map(({ userFile }) => formatLocation({ file: userFile })).join(" and ");
    const where = env === undefined ? names : `env.${env} of ${names}`;
    say(`no vpc_services and no vpc_networks in ${where}; everything else is as with wrangler dev`);
  }
  const hasTypes = existsSync(path.join(cwd, TYPES_FILE)) || workers.some(({ config }) => generatesTypes(config.raw));
  if (hasTypes || wantsTypes) {
    say("types are not generated while this runs, and may be called out of date; wrangler types works as ever");
  }
}

function say(sentence: string): void {
  console.log(`miniflare-vpc: ${sentence}.`);
}
