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

import { bindingKey } from "../../service-worker/table.ts";
import { parseDevArgs, replaceConfigs } from "./dev-args.ts";
import { type Diagnostic, formatDiagnostics, formatLocation, hasErrors, isDiagnostic } from "../diagnostics.ts";
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
  if (start.diagnostics.length > 0) console.error(formatDiagnostics(start.diagnostics));
  if (start.project === undefined) return 1;
  const { workers, remoteBindings } = start.project;
  if (start.diagnostics.length > 0 && workers.every(({ bindings }) => bindings.length === 0)) {
    // Nothing to serve: so that wrangler names the user's own file.
    return await runWrangler(wrangler.bin, ["dev", ...argv]);
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
  let reported = formatDiagnostics(start.diagnostics);
  let restartFor = "";
  const reload = async (): Promise<readonly string[]> => {
    const { project, diagnostics, files: watched } = await loadProject(request, lastGood);
    if (project !== undefined) {
      lastGood = project;
      // A binding that became wrangler's would end wrangler where nobody is logged in.
      diagnostics.push(...write({ ...project, remoteBindings }).failures);
      const restart = restartNeeded(project, remoteBindings);
      if (restart !== restartFor && restart !== "") say(`the vpc config ${restart}: restart for this to take effect`);
      restartFor = restart;
    }
    const report = formatDiagnostics(diagnostics);
    if (hasErrors(diagnostics)) console.error(`${report}\nThe last good one stays in force.`);
    // Most edits change nothing about a warning.
    else if (report !== "" && report !== reported) console.error(report);
    reported = report;
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

/** What a vpc config says of "remote" that it did not say at the start, in words; empty if nothing. */
function restartNeeded(project: Project, atStart: ReadonlySet<string>): string {
  const bindings = project.workers.flatMap(({ workerName, bindings: all }) =>
    all.map(({ bindingName }) => ({ bindingName, key: bindingKey(workerName, bindingName) })),
  );
  const isNow = project.remoteBindings;
  const made = bindings.filter(({ key }) => isNow.has(key) && !atStart.has(key));
  const unmade = bindings.filter(({ key }) => !isNow.has(key) && atStart.has(key));
  const namesOf = (some: typeof bindings): string => some.map(({ bindingName }) => bindingName).join(", ");
  return [
    ...(made.length > 0 ? [`now says "remote" of ${namesOf(made)}`] : []),
    ...(unmade.length > 0 ? [`no longer says "remote" of ${namesOf(unmade)}`] : []),
  ].join(" and ");
}

function say(sentence: string): void {
  console.log(`miniflare-vpc: ${sentence}.`);
}
