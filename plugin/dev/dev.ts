/**
 * `miniflare-vpc dev`: starts the user's own `wrangler dev` with a generated config beside each of the
 * user's configs. Reads configs and writes siblings; the plugin in wrangler's process does the rest.
 *
 *   wrangler.jsonc ─┐
 *                   ├─▶ .wrangler-vpc-<pid>-<n>.json ──▶ wrangler dev --config
 *   vpc.jsonc ──────┘   (only which bindings are "remote")
 */

import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";
import { requireConfigs } from "../commands/config-flags.ts";
import type { Terminal } from "../commands/terminal.ts";

import { bindingKey } from "../../service-worker/routing/table.ts";
import { parseDevArgs, replaceConfigs, takeOwnArgs, takeUi } from "../wrangler-config/dev-args.ts";
import { type Diagnostic, formatDiagnostics, formatLocation, hasErrors, isDiagnostic } from "../diagnostics.ts";
import type { ControlOptions } from "../control/control-options.ts";
import { makePrivateDirectory } from "../egress/private-directory.ts";
import { packageEntry } from "../miniflare/loader.ts";
import { findConfigs } from "../wrangler-config/find-configs.ts";
import { NEW_CONFIG } from "../wrangler-config/read-new-config.ts";
import { findEnvironment } from "../wrangler-config/find-environment.ts";
import { loadDevProject, type DevProject, siblingsOf } from "./load-dev-project.ts";
import { readControlPort, readUi, whyTaken } from "./control-port.ts";
import { checkAfterRecord, readRecord } from "./read-record.ts";
import { describeRemote } from "./remote-bindings.ts";
import { type Exit, runWrangler } from "./run-wrangler.ts";
import { findWrangler } from "../wrangler-config/find-wrangler.ts";
import { isPages } from "../wrangler-config/read-wrangler.ts";
import { SiblingFiles } from "../wrangler-config/sibling-files.ts";
import { generatesTypes } from "../wrangler-config/sibling.ts";
import { recoverRecordings } from "../recordings/recover.ts";
import type { SessionRecording } from "../recordings/recording-spec.ts";
import { changedSince } from "../system/file-state.ts";
import { isCi } from "../system/is-ci.ts";
import { watchFiles } from "../system/watch.ts";

/** wrangler compares this file with the config it runs, which is the generated one. */
const TYPES_FILE = "worker-configuration.d.ts";

/** Prints a sentence without its full stop. */
type Say = (sentence: string) => void;

/** @param given what follows `dev` on the command line. @throws {UsageError} if it is invalid, or names a config that does not exist */
export async function runDev(given: readonly string[], terminal: Terminal): Promise<Exit> {
  const { printError } = terminal;
  const { args: others, own } = takeOwnArgs(given);
  const { args: argv, ui: uiArgs } = takeUi(others);
  const controlPort = readControlPort(own.control, terminal.env);
  const ui = readUi(uiArgs);
  const say: Say = (sentence) => printError(`miniflare-vpc: ${sentence}.`);
  const args = parseDevArgs(argv);
  const cwd = path.resolve(terminal.cwd, args.cwd ?? ".");
  checkAfterRecord(given, args.script, cwd);
  const all = readRecord(own.record, cwd);
  const env = findEnvironment(args, { cwd, processEnv: terminal.env });
  requireConfigs(
    args.configs.map(({ text }) => text),
    cwd,
  );
  const sources = findConfigs(args, cwd);
  if (isDiagnostic(sources)) {
    printError(formatDiagnostics([sources]));
    return 1;
  }
  // Without a wrangler config, wrangler reads the other one only if it is told to.
  const isNew =
    !args.wantsNewConfig && args.configs.length === 0 && path.basename(sources[0]?.file ?? "") === NEW_CONFIG;
  const asGiven = isNew ? ["--experimental-new-config", ...argv] : argv;
  const wrangler = findWrangler([...sources.map(({ userFile }) => path.dirname(userFile)), cwd]);
  if (wrangler.type !== "found") {
    printError(`miniflare-vpc: ${wrangler.reason}`);
    return 1;
  }
  if (args.isRemote || sources.length === 0) {
    say(args.isRemote ? "--remote uses the real VPC bindings" : "found no wrangler config");
    return await runWrangler(wrangler.bin, ["dev", ...asGiven]);
  }

  const request = { sources, env, workerName: args.workerName };
  const started = Date.now();
  const start = await loadDevProject(request);
  if (start.diagnostics.length > 0) printError(formatDiagnostics(start.diagnostics));
  if (start.project === undefined) return 1;
  const { workers, remoteBindings } = start.project;
  if (start.diagnostics.length > 0 && workers.every(({ bindings }) => bindings.length === 0)) {
    // Nothing to serve. wrangler gets the user's own file, so that its messages name it.
    return await runWrangler(wrangler.bin, ["dev", ...asGiven]);
  }
  announce(start.project, { cwd, env, wantsTypes: args.wantsTypes, hasControl: controlPort !== undefined, say });
  const remote = args.isLocal ? [] : describeRemote(start.project, env);
  // If nobody is logged in, wrangler fails without a terminal, and waits for a browser with one.
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY;
  if (remote.length > 0 && isInteractive) say(needsLogin(remote));

  const folders = new Set(
    [cwd, ...sources.map(({ userFile }) => path.dirname(userFile))].map((each) => realpathSync(each)),
  );
  const sessionControl: ControlOptions = {
    folders: [...folders],
    ...(controlPort !== undefined && { port: controlPort }),
  };
  const taken =
    (controlPort === undefined ? undefined : await whyTaken(controlPort, "--control")) ??
    (typeof ui === "object" ? await whyTaken(ui.port, "--ui-port") : undefined);
  if (taken !== undefined) {
    say(taken);
    return 1;
  }
  if (all !== undefined && isCi(terminal.env))
    say("--record records nothing under CI; the session is served as without it");
  const recording: SessionRecording = {
    recovery: await makePrivateDirectory(),
    ...(all !== undefined && !isCi(terminal.env) && { all }),
  };
  using siblings = new SiblingFiles();
  const write = (project: DevProject): { files: string[]; failures: Diagnostic[] } => {
    const options = { env, pluginPackage: packageEntry(), control: sessionControl, ui, recording };
    const written = siblingsOf(project, options).map(({ file, content }, position) =>
      siblings.write(file, position, content),
    );
    return {
      files: written.filter((result) => typeof result === "string"),
      failures: written.filter((result) => typeof result === "object"),
    };
  };
  const { files, failures } = write(start.project);
  if (failures.length > 0) {
    printError(formatDiagnostics(failures));
    return 1;
  }

  let lastGood = start.project;
  let reported = formatDiagnostics(start.diagnostics);
  let restartFor = "";
  const reload = async (): Promise<readonly string[]> => {
    const { project, diagnostics, files: watched } = await loadDevProject(request, lastGood);
    if (project !== undefined) {
      lastGood = project;
      // If a binding became remote and nobody is logged in, wrangler would exit.
      diagnostics.push(...write({ ...project, remoteBindings }).failures);
      const restart = restartNeeded(project, remoteBindings);
      if (restart !== restartFor && restart !== "") say(`the vpc config ${restart}: restart to apply this`);
      restartFor = restart;
    }
    const report = formatDiagnostics(diagnostics);
    if (hasErrors(diagnostics)) printError(`${report}\nThe last good config stays in force.`);
    // Most edits don't change the warnings.
    else if (report !== "" && report !== reported) printError(report);
    reported = report;
    return watched;
  };
  const watch = watchFiles(start.files, reload, (error) => printError(inspect(error)));
  // The files were not watched while they were read.
  if (start.files.some((file) => changedSince(file, started))) watch.check();
  try {
    const exit = await runWrangler(wrangler.bin, ["dev", ...replaceConfigs(args, files)]);
    for (const line of recoverRecordings(recording.recovery)) printError(`miniflare-vpc: ${line}`);
    if (remote.length > 0 && exit === 1 && !isInteractive) say(needsLogin(remote));
    return exit;
  } finally {
    watch.close();
  }
}

/** Prints what a user may not expect and the warnings don't say. */
function announce(
  { workers }: DevProject,
  {
    cwd,
    env,
    wantsTypes,
    hasControl,
    say,
  }: { cwd: string; env: string | undefined; wantsTypes: boolean; hasControl: boolean; say: Say },
): void {
  for (const { config, userFile, bindings } of workers) {
    if (bindings.length > 0 || !isPages(config.raw)) continue;
    say(`${formatLocation({ file: userFile })} is the config of a Pages project, but Pages has no VPC bindings`);
  }
  if (workers.every(({ bindings }) => bindings.length === 0)) {
    const names = workers.map(({ userFile }) => formatLocation({ file: userFile })).join(" and ");
    const where = env === undefined ? names : `env.${env} of ${names}`;
    say(`no vpc_services or vpc_networks in ${where}; everything else works as with wrangler dev`);
    if (hasControl) say("--control has nothing to direct without a VPC binding, so it opens no port");
  }
  const hasTypes = existsSync(path.join(cwd, TYPES_FILE)) || workers.some(({ config }) => generatesTypes(config.raw));
  if (hasTypes || wantsTypes) {
    say(
      "types are not generated while this runs, and wrangler may report them as out of date; wrangler types works as usual",
    );
  }
}

/** Describes which bindings became "remote", or stopped being it, since the start; empty if none. */
function restartNeeded(project: DevProject, atStart: ReadonlySet<string>): string {
  const bindings = project.workers.flatMap(({ workerName, bindings: all }) =>
    all.map(({ bindingName }) => ({ bindingName, key: bindingKey(workerName, bindingName) })),
  );
  const isNow = project.remoteBindings;
  const made = bindings.filter(({ key }) => isNow.has(key) && !atStart.has(key));
  const unmade = bindings.filter(({ key }) => !isNow.has(key) && atStart.has(key));
  const namesOf = (some: typeof bindings): string => some.map(({ bindingName }) => bindingName).join(", ");
  return [
    ...(made.length > 0 ? [`now says "remote" for ${namesOf(made)}`] : []),
    ...(unmade.length > 0 ? [`no longer says "remote" for ${namesOf(unmade)}`] : []),
  ].join(" and ");
}

function needsLogin(remote: readonly string[]): string {
  return `wrangler needs a login for remote bindings: ${remote.join(", ")}. Without a login, use --local to run the rest`;
}
