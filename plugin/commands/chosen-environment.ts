/**
 * Links one environment of a project for `explain` and `routes`. They use the same table that the run time
 * would get.
 */

import { bindingKey } from "../../service-worker/routing/table.ts";
import { type Diagnostic, didYouMean, hasErrors } from "../diagnostics.ts";
import { findEnvironment } from "../wrangler-config/find-environment.ts";
import type { LoadedTable } from "../load.ts";
import type { VpcBinding } from "../model.ts";
import { chooseEnvironment, linkEnvironment, readEnvironment, readProject, readVpcConfigs } from "./read-project.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export interface EnvironmentBinding extends VpcBinding {
  workerName: string;
  /** Its `bindingKey`. */
  key: string;
}

export interface ChosenEnvironment extends LoadedTable {
  env: string | undefined;
  bindings: EnvironmentBinding[];
}

export interface EnvironmentRequest {
  config: readonly string[];
  /** As typed. Absent: the environment that `wrangler dev` would use. */
  env: string | undefined;
}

/**
 * @returns the environment, or the diagnostics if they contain an error, because the table is incomplete then
 * @throws {UsageError}
 */
export async function loadChosenEnvironment(
  { config, env: wanted }: EnvironmentRequest,
  { cwd, env: processEnv }: Pick<Terminal, "cwd" | "env">,
): Promise<ChosenEnvironment | Diagnostic[]> {
  const args = { envFiles: [], ...(wanted !== undefined && { env: wanted }) };
  const used = findEnvironment(args, { cwd, processEnv });
  const project = readProject({ configs: config, cwd, env: used });
  if (hasErrors(project.diagnostics)) return [...project.diagnostics];
  const env = chooseEnvironment(project, used ?? "");
  const environment = readEnvironment(project, env);
  const loaded = await linkEnvironment(environment, readVpcConfigs());
  if (hasErrors(loaded.diagnostics)) return loaded.diagnostics;
  const bindings = environment.workers.flatMap(({ workerName, bindings: all }) =>
    all.map((binding) => ({ ...binding, workerName, key: bindingKey(workerName, binding.bindingName) })),
  );
  return { ...loaded, env, bindings };
}

type Bindings = Pick<ChosenEnvironment, "bindings" | "env">;

/** @param workerName as typed; absent: all Workers. @throws {UsageError} if that Worker has no VPC bindings */
export function bindingsOf({ bindings, env }: Bindings, workerName: string | undefined): EnvironmentBinding[] {
  if (workerName === undefined) return bindings;
  const own = bindings.filter((binding) => binding.workerName === workerName);
  if (own.length > 0) return own;
  const workers = [...new Set(bindings.map((binding) => binding.workerName))];
  throw new UsageError(
    `no Worker ${JSON.stringify(workerName)} has VPC bindings${whereIn(env)}. ${hintAmong(workerName, workers)}`,
  );
}

/** @throws {UsageError} if no binding or several have the name */
export function findBinding(
  environment: Bindings,
  { bindingName, workerName }: { bindingName: string; workerName: string | undefined },
): EnvironmentBinding {
  const own = bindingsOf(environment, workerName);
  const [found, ...others] = own.filter((binding) => binding.bindingName === bindingName);
  if (found === undefined) {
    const names = [...new Set(own.map((binding) => binding.bindingName))];
    throw new UsageError(
      `there is no VPC binding ${JSON.stringify(bindingName)}${whereIn(environment.env)}. ${hintAmong(bindingName, names)}`,
    );
  }
  if (others.length > 0) {
    const names = [found, ...others].map((binding) => binding.workerName);
    throw new UsageError(
      `${names.length} Workers have a binding ${JSON.stringify(bindingName)}: ${names.join(", ")}. Choose one with "--worker ${found.workerName}".`,
    );
  }
  return found;
}

function whereIn(env: string | undefined): string {
  return env === undefined ? "" : ` in the environment ${JSON.stringify(env)}`;
}

function hintAmong(word: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return "There are none.";
  const meant = didYouMean(word, candidates);
  return meant === undefined ? `Available: ${candidates.join(", ")}.` : `Did you mean ${JSON.stringify(meant)}?`;
}
