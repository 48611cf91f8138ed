/**
 * Loads what one `miniflare-vpc dev` makes its generated configs from: the wrangler configs, and which bindings the vpc
 * configs set to "remote". Writes nothing.
 */

import path from "node:path";

import { bindingKey } from "../../service-worker/routing/table.ts";
import { type Diagnostic, hasErrors, isDiagnostic } from "../diagnostics.ts";
import type { ControlOptions } from "../control/control-options.ts";
import type { UiRequest } from "../ui/ui-choice.ts";
import type { FoundConfig } from "../wrangler-config/find-configs.ts";
import { loadTable } from "../load.ts";
import type { VpcBinding } from "../model.ts";
import type { SessionRecording } from "../recordings/recording-spec.ts";
import {
  type JsonObject,
  readVpcEntries,
  readWranglerConfig,
  type WranglerConfig,
  workerNameOf,
} from "../wrangler-config/read-wrangler.ts";
import { writeSibling } from "../wrangler-config/sibling.ts";

export interface DevRequest {
  sources: readonly FoundConfig[];
  /** The environment that wrangler uses. */
  env: string | undefined;
  /** `--name`, for the first config's Worker. */
  workerName: string | undefined;
}

export interface DevProject {
  /** In the order of the request's sources. */
  workers: DevWorker[];
  /** Keys of the bindings that are left to wrangler's remote bindings. */
  remoteBindings: ReadonlySet<string>;
}

interface DevWorker {
  config: WranglerConfig;
  userFile: FoundConfig["userFile"];
  workerName: string;
  /** Those that wrangler's remote bindings or the plugin serve. */
  bindings: VpcBinding[];
  /** A warning for each VPC binding that can't be served on this machine. */
  notServed: Diagnostic[];
}

export interface DevLoad {
  /** Undefined if a config has errors and no earlier load succeeded. */
  project: DevProject | undefined;
  /** If there are errors, `project` is the earlier one, if any. */
  diagnostics: Diagnostic[];
  /** Every file that was read or looked for. An edit of one requires another load. */
  files: string[];
}

/**
 * @param lastGood the project of an earlier load. It stays in use while a config is broken. Mistakes in a vpc config are
 * then left out here, because the plugin in wrangler's process reports them.
 */
export async function loadDevProject(request: DevRequest, lastGood?: DevProject): Promise<DevLoad> {
  const wranglerFiles = request.sources.map(({ file }) => file);
  const results = request.sources.map((source) => ({
    ...source,
    config: readWranglerConfig(source.file, request.env),
  }));
  const broken = results.map(({ config }) => config).filter(isDiagnostic);
  const workers = results.flatMap(({ config, userFile }, position): DevWorker[] => {
    if (isDiagnostic(config)) return [];
    const given = position === 0 ? request.workerName : undefined;
    const workerName = given ?? workerNameOf(config.raw, request.env) ?? userFile;
    const { bindings, diagnostics: notServed } = readVpcEntries(config, request.env);
    return [{ config, userFile, workerName, bindings, notServed }];
  });
  const notServed = workers.flatMap((worker) => worker.notServed);
  if (workers.every(({ bindings }) => bindings.length === 0)) {
    const project = broken.length > 0 ? lastGood : { workers, remoteBindings: new Set<string>() };
    return { project, diagnostics: [...broken, ...notServed], files: wranglerFiles };
  }

  const loaded = await loadTable({
    workers: workers.map(({ workerName, userFile, bindings }) => ({
      workerName,
      rootPath: path.dirname(userFile),
      bindings,
    })),
    source: undefined,
    env: request.env,
    generation: 0,
  });
  const files = [...wranglerFiles, ...loaded.files];
  // The plugin knows only the bindings that it serves.
  if (lastGood === undefined)
    notServed.push(...loaded.diagnostics.filter(({ code }) => code === "own-connection-string"));
  for (const worker of workers) worker.bindings = worker.bindings.filter(isServed);
  if (broken.length > 0) return { project: lastGood, diagnostics: [...broken, ...notServed], files };
  if (!hasErrors(loaded.diagnostics)) {
    return { project: { workers, remoteBindings: loaded.remoteBindings }, diagnostics: notServed, files };
  }
  if (lastGood === undefined) return { project: undefined, diagnostics: [...loaded.diagnostics, ...notServed], files };
  return { project: { workers, remoteBindings: lastGood.remoteBindings }, diagnostics: notServed, files };
}

/** A Hyperdrive binding that has a connection string of its own is left to wrangler. */
function isServed({ ownString }: VpcBinding): boolean {
  return ownString === undefined;
}

interface SiblingsOptions {
  env: string | undefined;
  pluginPackage: string;
  control: ControlOptions;
  ui: UiRequest;
  recording: SessionRecording;
}

/** Makes one generated config for each Worker. */
export function siblingsOf(
  project: DevProject,
  { env, pluginPackage, control, ui, recording }: SiblingsOptions,
): { file: string; content: string }[] {
  return project.workers.map(({ config, userFile, workerName, bindings }) => ({
    file: config.file,
    content: writeSibling(config, {
      pluginPackage,
      loaderOptions: { control: { ...control }, ui, recording: jsonOf(recording) },
      env,
      userFile,
      isRemote: (bindingName) =>
        project.remoteBindings.has(bindingKey(workerName, bindingName)) ||
        !bindings.some((each) => each.bindingName === bindingName),
    }),
  }));
}

function jsonOf(recording: SessionRecording): JsonObject {
  return JSON.parse(JSON.stringify(recording)) as JsonObject;
}
