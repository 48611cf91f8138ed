/**
 * Reads what a command needs: the wrangler configs, the Workers and bindings of their environments, and the vpc
 * configs linked with them. Finds them as `dev` does. Prints nothing.
 */

import path from "node:path";

import { type Diagnostic, didYouMean, formatLocation, isDiagnostic } from "../diagnostics.ts";
import { findConfigs } from "../wrangler-config/find-configs.ts";
import {
  environmentsOf,
  readVpcEntries,
  readWrangler,
  type WranglerConfig,
  workerNameOf,
} from "../wrangler-config/read-wrangler.ts";
import { NEW_CONFIG } from "../wrangler-config/read-new-config.ts";
import { type LoadedTable, type ReadModel, loadTable, readModel } from "../load.ts";
import type { SessionWorker } from "../model.ts";
import { requireConfigs } from "./config-flags.ts";
import { UsageError } from "./usage-error.ts";

export interface Project {
  /** The wrangler configs that can be read. */
  configs: readonly ProjectConfig[];
  /** Absolute paths of the wrangler configs that can't be read. */
  unreadable: readonly string[];
  /** Problems in the wrangler configs themselves. */
  diagnostics: readonly Diagnostic[];
  /** All environments, the top level (undefined) first. */
  environments: readonly (string | undefined)[];
}

interface ProjectConfig extends Pick<WranglerConfig, "raw" | "locate" | "file"> {
  /** The config that the user wrote; the vpc config is next to it. */
  userFile: string;
}

export interface ProjectRequest {
  /** As typed. If there are none, the configs that wrangler would find. */
  configs: readonly string[];
  /** Absolute. */
  cwd: string;
  /** The environment in use, which a `cloudflare.config.ts` is a function of. */
  env?: string | undefined;
  /** Leaves out what takes wrangler seconds to read. */
  isQuick?: boolean;
}

/** @throws {UsageError} if there is no wrangler config */
export function readProject({ configs, cwd, env, isQuick = false }: ProjectRequest): Project {
  requireConfigs(configs, cwd);
  const sources = findConfigs({ configs: configs.map((text) => ({ text })) }, cwd);
  if (isDiagnostic(sources))
    return { configs: [], unreadable: [sources.file], diagnostics: [sources], environments: [] };
  if (sources.length === 0) {
    throw new UsageError(`there is no wrangler config in ${cwd} or above it. Name one with "--config FILE".`);
  }
  const read = sources.filter(({ file }) => !isQuick || path.basename(file) !== NEW_CONFIG);
  const results = read.map(({ file, userFile }) => ({ userFile, result: readWrangler(file, env || undefined) }));
  const readable = results.flatMap(({ userFile, result: { config } }) =>
    config === undefined ? [] : [{ ...config, userFile }],
  );
  return {
    configs: readable,
    unreadable: results.filter(({ result }) => result.config === undefined).map(({ userFile }) => userFile),
    diagnostics: results.flatMap(({ result }) => result.diagnostics),
    environments: [undefined, ...new Set(readable.flatMap(({ raw }) => environmentsOf(raw)))],
  };
}

/** All environments except the top level. */
export function environmentsIn({ environments }: Pick<Project, "environments">): string[] {
  return environments.filter((env) => env !== undefined);
}

/** @param wanted as typed; empty: the top level. @throws {UsageError} if no config has this environment */
export function chooseEnvironment({ configs, environments }: Project, wanted: string): string | undefined {
  if (wanted === "") return undefined;
  // If no config can be read, its environments are unknown.
  if (environments.includes(wanted) || configs.length === 0) return wanted;
  const names = environmentsIn({ environments });
  const meant = didYouMean(wanted, names);
  const has = names.length === 0 ? "There are no environments." : `Environments: ${names.join(", ")}.`;
  const files = configs.map(({ userFile }) => formatLocation({ file: userFile })).join(" and ");
  throw new UsageError(
    `there is no environment ${JSON.stringify(wanted)} in ${files}. ${meant === undefined ? has : `Did you mean ${JSON.stringify(meant)}?`}`,
  );
}

/** The Workers of one environment. */
export interface Environment {
  env: string | undefined;
  workers: SessionWorker[];
  /** Problems of entries that wrangler would refuse. */
  diagnostics: Diagnostic[];
}

export function readEnvironment({ configs }: Project, env: string | undefined): Environment {
  const read = configs.map((config) => ({ config, entries: readVpcEntries(config, env) }));
  return {
    env,
    workers: read.map(({ config: { raw, userFile }, entries }) => ({
      workerName: workerNameOf(raw, env) ?? formatLocation({ file: userFile }),
      rootPath: path.dirname(userFile),
      bindings: entries.bindings,
    })),
    diagnostics: read.flatMap(({ entries }) => entries.diagnostics),
  };
}

/** The vpc configs of a project. Each one is read once, even if several environments are linked with it. */
export interface VpcConfigs {
  /** @param folder absolute path of the folder of a wrangler config */
  read(folder: string): Promise<ReadModel>;
  /** The configs that have been read so far. */
  all(): Promise<ReadModel[]>;
}

export function readVpcConfigs(): VpcConfigs {
  const models = new Map<string, Promise<ReadModel>>();
  return {
    read(folder) {
      const known = models.get(folder) ?? readModel(undefined, folder);
      models.set(folder, known);
      return known;
    },
    all: () => Promise.all(models.values()),
  };
}

/** Links an environment with the vpc configs next to the wrangler configs of its Workers. */
export function linkEnvironment({ workers, env }: Environment, configs: VpcConfigs): Promise<LoadedTable> {
  return loadTable({
    isThorough: true,
    workers,
    source: undefined,
    env,
    generation: 0,
    readModel: (_, folder) => configs.read(folder),
  });
}
