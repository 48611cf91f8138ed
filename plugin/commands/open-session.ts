/**
 * One environment of a project, linked: what `explain` and `routes` answer from. The same table that the
 * run time would be given.
 */

import { bindingKey } from "../../service-worker/table.ts";
import { type Diagnostic, didYouMean, hasErrors } from "../diagnostics.ts";
import { findEnvironment } from "../dev/find-environment.ts";
import type { LoadedSession } from "../load.ts";
import type { VpcBinding } from "../model.ts";
import { chooseEnvironment, linkEnvironment, readEnvironment, readProject, readVpcConfigs } from "./read-project.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export interface SessionBinding extends VpcBinding {
  workerName: string;
  /** Its `bindingKey`. */
  key: string;
}

export interface OpenSession extends LoadedSession {
  env: string | undefined;
  bindings: SessionBinding[];
}

export interface SessionRequest {
  config: readonly string[];
  /** As typed; absent: what `wrangler dev` would take. */
  env: string | undefined;
}

/**
 * @returns the session, or the diagnostics when there is an error among them: then no table is to be trusted
 * @throws {UsageError}
 */
export async function openSession(
  { config, env: wanted }: SessionRequest,
  { cwd, env: processEnv }: Pick<Terminal, "cwd" | "env">,
): Promise<OpenSession | Diagnostic[]> {
  const project = readProject({ configs: config, cwd });
  if (hasErrors(project.diagnostics)) return [...project.diagnostics];
  const args = { envFiles: [], ...(wanted !== undefined && { env: wanted }) };
  const env = chooseEnvironment(project, findEnvironment(args, { cwd, processEnv }) ?? "");
  const environment = readEnvironment(project, env);
  const session = await linkEnvironment(environment, readVpcConfigs());
  if (hasErrors(session.diagnostics)) return session.diagnostics;
  const bindings = environment.workers.flatMap(({ workerName, bindings: all }) =>
    all.map((binding) => ({ ...binding, workerName, key: bindingKey(workerName, binding.bindingName) })),
  );
  return { ...session, env, bindings };
}

type Bindings = Pick<OpenSession, "bindings" | "env">;

/** @param workerName as typed; absent: of all Workers. @throws {UsageError} when that one has none */
export function bindingsOf({ bindings, env }: Bindings, workerName: string | undefined): SessionBinding[] {
  if (workerName === undefined) return bindings;
  const own = bindings.filter((binding) => binding.workerName === workerName);
  if (own.length > 0) return own;
  const workers = [...new Set(bindings.map((binding) => binding.workerName))];
  throw new UsageError(
    `no Worker ${JSON.stringify(workerName)} has VPC bindings${whereIn(env)}. ${hintAmong(workerName, workers)}`,
  );
}

/** @throws {UsageError} when none or several are meant */
export function findBinding(
  session: Bindings,
  { bindingName, workerName }: { bindingName: string; workerName: string | undefined },
): SessionBinding {
  const own = bindingsOf(session, workerName);
  const [found, ...others] = own.filter((binding) => binding.bindingName === bindingName);
  if (found === undefined) {
    const names = [...new Set(own.map((binding) => binding.bindingName))];
    throw new UsageError(
      `there is no VPC binding ${JSON.stringify(bindingName)}${whereIn(session.env)}. ${hintAmong(bindingName, names)}`,
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
  if (candidates.length === 0) return "There are none at all.";
  const meant = didYouMean(word, candidates);
  return meant === undefined ? `There is ${candidates.join(", ")}.` : `Did you mean ${JSON.stringify(meant)}?`;
}
