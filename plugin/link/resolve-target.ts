/**
 * From a target as it was parsed to one for the table: its Worker looked up in the session, its function
 * registered, its name servers added.
 */

import type { Target } from "../../service-worker/table.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { didYouMean } from "../diagnostics.ts";
import type { ModelTarget, VpcModel } from "../model.ts";
import type { Report } from "../read/document.ts";
import { formatPath } from "../read/locate.ts";

export interface Resolving {
  /** Of the whole session. */
  workerNames: ReadonlySet<string>;
  env: string | undefined;
  generation: number;
  model: VpcModel;
  report: Report;
  /** Where a function is registered, under its id. */
  functions: Map<string, VpcFunctionTarget>;
}

/**
 * @param resolvers for `passthrough`; none: this machine's
 * @returns undefined when it names an unknown Worker; that is reported then
 */
export function resolveTarget(
  { at, ...target }: ModelTarget,
  resolvers: string[],
  resolving: Resolving,
): Target | undefined {
  const { workerNames, env, generation, model, report, functions } = resolving;
  if (target.type === "function") {
    const functionId = `${generation}:${model.document.file}:${formatPath(at)}`;
    functions.set(functionId, target.call);
    return { type: "function", functionId };
  }
  if (target.type === "passthrough") return resolvers.length === 0 ? target : { ...target, resolvers };
  if (target.type !== "worker") return target;
  const { workerName } = target;
  if (workerNames.has(workerName)) return target;
  if (env !== undefined && workerNames.has(`${workerName}-${env}`))
    return { ...target, workerName: `${workerName}-${env}` };
  const meant = didYouMean(workerName, workerNames);
  report({
    code: "unknown-worker",
    text: `the target "worker:${workerName}" is no Worker of this session`,
    at,
    notes: [
      ...(meant === undefined ? [] : [`Did you mean "worker:${meant}"?`]),
      `This session's Workers are ${[...workerNames].join(", ")}.`,
    ],
  });
  return undefined;
}
