/**
 * The wrangler configs of one `miniflare-vpc dev` and what the vpc configs say "remote" of: all that
 * the generated configs depend on. Reads; writes nothing.
 */

import path from "node:path";

import { bindingKey } from "../../service-worker/table.ts";
import { type Diagnostic, hasErrors, isDiagnostic } from "../diagnostics.ts";
import type { ConfigSource } from "./find-configs.ts";
import { loadSession } from "../load.ts";
import type { VpcBinding } from "../model.ts";
import { readVpcEntries, readWranglerConfig, type WranglerConfig, workerNameOf } from "./read-wrangler.ts";
import { writeSibling } from "./sibling.ts";

export interface ProjectRequest {
  sources: readonly ConfigSource[];
  /** The environment wrangler takes. */
  env: string | undefined;
  /** `--name`, for the first config's Worker. */
  workerName: string | undefined;
}

export interface Project {
  /** In the order of the request's sources. */
  workers: ProjectWorker[];
  /** Keys of the bindings that are left to wrangler's remote bindings. */
  remoteBindings: ReadonlySet<string>;
}

interface ProjectWorker {
  config: WranglerConfig;
  userFile: string;
  workerName: string;
  bindings: VpcBinding[];
  /** A warning for each VPC binding that can't be taken over. */
  notServed: Diagnostic[];
}

export interface ProjectLoad {
  /** Absent when a config can't be used and there was no earlier project. */
  project: Project | undefined;
  /** With errors: `project` is the earlier one, if any. */
  diagnostics: Diagnostic[];
  /** Everything that was read or looked for; an edit of one calls for another load. */
  files: string[];
}

/**
 * @param lastGood of an earlier load: then a broken wrangler config keeps it in force, and mistakes in
 * a vpc config are left to the plugin in wrangler's process to tell
 */
export async function loadProject(request: ProjectRequest, lastGood?: Project): Promise<ProjectLoad> {
  const wranglerFiles = request.sources.map(({ file }) => file);
  const results = request.sources.map((source) => ({ ...source, config: readWranglerConfig(source.file) }));
  const broken = results.map(({ config }) => config).filter(isDiagnostic);
  const workers = results.flatMap(({ config, userFile }, position): ProjectWorker[] => {
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

  const session = await loadSession({
    workers: workers.map(({ workerName, userFile, bindings }) => ({
      workerName,
      rootPath: path.dirname(userFile),
      bindings,
    })),
    source: undefined,
    env: request.env,
    generation: 0,
  });
  const files = [...wranglerFiles, ...session.files];
  if (broken.length > 0) return { project: lastGood, diagnostics: [...broken, ...notServed], files };
  if (!hasErrors(session.diagnostics)) {
    return { project: { workers, remoteBindings: session.remoteBindings }, diagnostics: notServed, files };
  }
  if (lastGood === undefined) return { project: undefined, diagnostics: [...session.diagnostics, ...notServed], files };
  return { project: { workers, remoteBindings: lastGood.remoteBindings }, diagnostics: notServed, files };
}

/** One generated config for each Worker. */
export function siblingsOf(
  project: Project,
  { env, pluginPackage }: { env: string | undefined; pluginPackage: string },
): { file: string; content: string }[] {
  return project.workers.map(({ config, userFile, workerName }) => ({
    file: config.file,
    content: writeSibling(config, {
      pluginPackage,
      env,
      userFile,
      isRemote: (bindingName) => project.remoteBindings.has(bindingKey(workerName, bindingName)),
    }),
  }));
}
