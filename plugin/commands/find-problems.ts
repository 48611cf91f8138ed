/**
 * Every problem of a project: of the wrangler configs, of the vpc configs, and of the two together, in all
 * environments at once. Prints nothing.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { type Diagnostic, formatLocation } from "../diagnostics.ts";
import type { LoadedSession } from "../load.ts";
import type { VpcModel } from "../model.ts";
import { type Finding, placeOf, quote, reportTo } from "../read/document.ts";
import { findUnbound } from "./find-unbound.ts";
import { type Unreachable, findUnreachable } from "./find-unreachable.ts";
import { type Environment, type Project, linkEnvironment, readEnvironment, readVpcConfigs } from "./read-project.ts";

export interface Findings {
  diagnostics: Diagnostic[];
  /** One for each environment that was looked at. */
  sessions: LoadedSession[];
  /** Absolute; the configs that were read. */
  files: string[];
}

/** @param chosen environments; for what no binding leads to, all of them count */
export async function findProblems(project: Project, chosen: readonly (string | undefined)[]): Promise<Findings> {
  const all = project.environments.map((env) => readEnvironment(project, env));
  const looked = all.filter(({ env }) => chosen.includes(env));
  const configs = readVpcConfigs();
  const linked: LinkedEnvironment[] = [];
  for (const environment of looked) {
    linked.push({ ...environment, session: await linkEnvironment(environment, configs) });
  }
  const diagnostics = [
    ...project.diagnostics,
    // wrangler refuses each of them.
    ...looked.flatMap((environment) =>
      environment.diagnostics.map((found) => Object.assign(found, { severity: "error" })),
    ),
    ...mergeEnvironments(linked),
  ];
  suggestInit(diagnostics);
  // Where there are no bindings, nothing was linked.
  const read = await configs.all();
  const folders = [...project.configs.map(({ userFile }) => userFile), ...project.unreadable].map((file) =>
    path.dirname(file),
  );
  for (const folder of new Set(folders)) {
    const { model, diagnostics: found } = await configs.read(folder);
    if (read.some((each) => each.model === model)) continue;
    for (const diagnostic of found) diagnostics.push(diagnostic);
  }
  const models = (await configs.all()).map(({ model }) => model);
  for (const model of models) reportModel(model, { project, all, diagnostics });
  return {
    diagnostics,
    sessions: linked.map(({ session }) => session),
    files: [...project.configs, ...models.map(({ document }) => document)]
      .map(({ file }) => file)
      .filter((file) => existsSync(file)),
  };
}

interface LinkedEnvironment extends Environment {
  session: LoadedSession;
}

/** What is found in several environments is said once; what is not found in all of them, with their names. */
function mergeEnvironments(linked: readonly LinkedEnvironment[]): Diagnostic[] {
  const found = new Map<string, { diagnostic: Diagnostic; envs: (string | undefined)[] }>();
  for (const { env, workers, session } of linked) {
    for (const diagnostic of session.diagnostics) {
      const key = JSON.stringify({ ...diagnostic, text: withoutNames(diagnostic.text, workers) });
      const known = found.get(key);
      if (known === undefined) found.set(key, { diagnostic, envs: [env] });
      else if (!known.envs.includes(env)) known.envs.push(env);
    }
  }
  return [...found.values()].map(({ diagnostic, envs }) => {
    if (envs.length === linked.length) return diagnostic;
    const names = envs.map((env) => (env === undefined ? "the top level" : quote(env)));
    return Object.assign(diagnostic, { notes: [...diagnostic.notes, `Environment: ${names.join(", ")}.`] });
  });
}

/** With the Workers numbered: an environment gives them names of its own, but no other order. */
function withoutNames(text: string, workers: Environment["workers"]): string {
  return workers.reduce(
    (left, { workerName }, position) => left.replaceAll(`Worker ${quote(workerName)}`, `Worker ${position}`),
    text,
  );
}

/** Once for each config that there is not. */
function suggestInit(diagnostics: readonly Diagnostic[]): void {
  const missing = new Map(
    diagnostics
      .filter(({ code, file }) => code === "no-entry" && !existsSync(file))
      .map((diagnostic) => [diagnostic.file, diagnostic]),
  );
  for (const { file, notes } of missing.values()) {
    notes.push(`There is no ${path.basename(file)} yet: type "miniflare-vpc init" for a first one.`);
  }
}

function reportModel(
  model: VpcModel,
  { project, all, diagnostics }: { project: Project; all: readonly Environment[]; diagnostics: Diagnostic[] },
): void {
  if (!model.isReadable) return;
  const isBeside = (folder: string | undefined): boolean => folder === model.document.folder;
  const bindings = all
    .flatMap(({ workers }) => workers)
    .filter(({ rootPath }) => isBeside(rootPath))
    .flatMap((worker) => worker.bindings);
  const beside = project.configs.filter(({ userFile }) => isBeside(path.dirname(userFile)));
  const where = beside.map(({ userFile }) => formatLocation({ file: userFile })).join(" and ");
  // A likely slip is reported with what was meant.
  const slips = new Set(diagnostics.filter(({ code }) => code === "unmatched-key").map(placeKey));
  const added: Diagnostic[] = [];
  const report = reportTo(added, model.document);
  // What can't be read may hold any binding.
  const isComplete = !project.unreadable.some((file) => isBeside(path.dirname(file)));
  if (isComplete) for (const finding of findUnbound(model, bindings, where)) report(finding);
  for (const entry of model.networks.values()) {
    if (entry.kind !== "entry") continue;
    for (const unreachable of findUnreachable(entry.routes)) report(describeUnreachable(unreachable, model));
  }
  diagnostics.push(...added.filter((diagnostic) => !slips.has(placeKey(diagnostic))));
}

function placeKey({ file, line, column }: Diagnostic): string {
  return `${file}:${line}:${column}`;
}

/** Of the routes that take another's place, how many are named. */
const MAX_NAMED = 3;

function describeUnreachable({ route, by }: Unreachable, { document }: VpcModel): Finding {
  const named = by
    .slice(0, MAX_NAMED)
    .map((other) => `${quote(other.text)} (${other.origin ?? placeOf(document, other.at)})`);
  // Of a compose route the diagnostic's own place is that of "compose".
  const where = route.origin === undefined ? "" : ` of ${route.origin}`;
  const more = by.length > MAX_NAMED ? ` and ${by.length - MAX_NAMED} more` : "";
  return {
    severity: "warning",
    code: "unreachable-route",
    text: `the route ${quote(route.text)}${where} is never reached: more precise ones take all of it`,
    at: route.at,
    part: "key",
    notes: [`Those are ${named.join(", ")}${more}. Remove it, or what should not go before it.`],
  };
}
