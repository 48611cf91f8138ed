/**
 * Turns a parsed target into one for the table: looks up its Worker in the session, registers its function or stand-in,
 * and adds its name servers.
 */

import type { Target } from "../../service-worker/routing/table.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { didYouMean } from "../diagnostics.ts";
import type { ModelTarget, StandInModel, VpcModel } from "../model.ts";
import { type Report, originOf } from "../read/document.ts";
import { specOf } from "../recordings/recording-spec.ts";
import { formatPath } from "../read/locate.ts";

export interface Resolving {
  /** All Workers of the session: from each name that a target may use to the Worker's name in the session. */
  workerNames: ReadonlyMap<string, string>;
  env: string | undefined;
  generation: number;
  model: VpcModel;
  report: Report;
  /** Collects the functions, keyed by function id. */
  functions: Map<string, VpcFunctionTarget>;
  /** Collects the stand-ins, keyed by the id of each. */
  standIns: Map<string, LinkedStandIn>;
}

export interface LinkedStandIn {
  model: StandInModel;
  /** The folder of the vpc config. */
  folder: string;
  /** `file:line:column` of the target. */
  origin: string;
  /** As the terminal shows it. */
  text: string;
  position: { file: string; line?: number; column?: number };
  /** What a recording was made from. */
  behind?: Target;
}

/**
 * @param resolvers for `passthrough`; if the list is empty, this machine's own resolvers are used
 * @returns undefined if the target names an unknown Worker, which is reported
 */
export function resolveTarget(given: ModelTarget, resolvers: string[], resolving: Resolving): Target | undefined {
  if (given.type === "address") {
    // No spreads, because there can be very many.
    const address: Target = { type: given.type, host: given.host };
    if (given.port !== undefined) address.port = given.port;
    if (given.scheme !== undefined) address.scheme = given.scheme;
    return address;
  }
  const { at, ...target } = given;
  const { workerNames, env, generation, model, report, functions } = resolving;
  if (target.type === "function") {
    const functionId = `${generation}:${model.document.file}:${formatPath(at)}`;
    functions.set(functionId, target.call);
    return { type: "function", functionId };
  }
  if (target.type === "stand-in") {
    const { standIn } = target;
    const behind = standIn.type === "har" && standIn.target;
    const resolved = behind && resolveTarget(behind, resolvers, resolving);
    // What is wrong with it is reported.
    if (behind && !resolved) return undefined;
    const standInId = `${generation}:${model.document.file}:${formatPath(at)}`;
    const { document } = model;
    resolving.standIns.set(standInId, {
      model: standIn,
      folder: document.folder,
      origin: originOf(document, at),
      text: target.text,
      position: { file: document.file, ...document.locate(at, "value") },
      ...(resolved && { behind: resolved }),
    });
    const isRecorded = standIn.type === "har" && specOf(standIn) !== undefined;
    const isObserved = isRecorded || (standIn.type === "har" && standIn.notFound === "fallback");
    const behindIt = isObserved && resolved ? { behind: { target: resolved, isRecorded } } : {};
    return { type: "stand-in", standInId, text: target.text, ...(isObserved && { isObserved }), ...behindIt };
  }
  if (target.type === "passthrough") return resolvers.length === 0 ? target : { ...target, resolvers };
  if (target.type !== "worker") return target;
  const { workerName } = target;
  for (const name of env === undefined ? [workerName] : [workerName, `${workerName}-${env}`]) {
    const found = workerNames.get(name);
    if (found !== undefined) return { ...target, workerName: found, ...(found !== name && { ownName: name }) };
  }
  const names = ownNamesOf(workerNames);
  const meant = didYouMean(workerName, names);
  report({
    code: "unknown-worker",
    text: `the target "worker:${workerName}" is not a Worker of this session`,
    at,
    notes: [
      ...(meant === undefined ? [] : [`Did you mean "worker:${meant}"?`]),
      `This session's Workers are ${names.join(", ")}.`,
    ],
  });
  return undefined;
}

/** Without the names of the Workers that a host runs others in. */
function ownNamesOf(workerNames: Resolving["workerNames"]): string[] {
  const hosts = new Set([...workerNames].flatMap(([name, found]) => (name === found ? [] : [found])));
  return [...workerNames.keys()].filter((name) => !hosts.has(name));
}
