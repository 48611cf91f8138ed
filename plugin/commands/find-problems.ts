/**
 * Finds every problem of a project: in the wrangler configs, in the vpc configs, and between the two, in all
 * environments at once. Prints nothing.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { type Diagnostic, formatLocation } from "../diagnostics.ts";
import { NEW_CONFIG } from "../wrangler-config/read-new-config.ts";
import { MESH_ID } from "../../service-worker/routing/table.ts";
import { readPreviewBindings } from "../wrangler-config/read-wrangler.ts";
import type { LoadedTable } from "../load.ts";
import type { VpcModel } from "../model.ts";
import { type Finding, placeOf, quote, reportTo } from "../read/document.ts";
import { findIdleRest } from "./find-idle-rest.ts";
import { findTwice, findUnbound, findUnnamed } from "./find-unbound.ts";
import { findUnread } from "./find-unread.ts";
import { type Unreachable, findUnreachable, findUnreachableInMesh } from "./find-unreachable.ts";
import { type Environment, type Project, linkEnvironment, readEnvironment, readVpcConfigs } from "./read-project.ts";

export interface Findings {
  diagnostics: Diagnostic[];
  /** One for each environment that was checked. */
  tables: LoadedTable[];
  /** Absolute paths of the configs that were read. */
  files: string[];
}

/** @param chosen the environments to check; an entry without a binding is reported only if none of all environments has one */
export async function findProblems(project: Project, chosen: readonly (string | undefined)[]): Promise<Findings> {
  const all = project.environments.map((env) => readEnvironment(project, env));
  const looked = all.filter(({ env }) => chosen.includes(env));
  const configs = readVpcConfigs();
  const linked: LinkedEnvironment[] = [];
  for (const environment of looked) {
    linked.push({ ...environment, loaded: await linkEnvironment(environment, configs) });
  }
  const diagnostics = [
    ...project.diagnostics,
    // These are errors, because wrangler refuses them.
    ...looked.flatMap((environment) =>
      environment.diagnostics.map((found) => Object.assign(found, { severity: "error" })),
    ),
    ...mergeEnvironments(linked),
    ...project.configs.flatMap((config) => findUnread(config)),
  ];
  suggestInit(diagnostics);
  // A folder without bindings was not linked, so its vpc config is not read yet.
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
    tables: linked.map(({ loaded }) => loaded),
    files: [...project.configs, ...models.map(({ document }) => document)]
      .map(({ file }) => file)
      .filter((file) => existsSync(file)),
  };
}

interface LinkedEnvironment extends Environment {
  loaded: LoadedTable;
}

/** Reports each problem once. If it isn't in all environments, a note names those that have it. */
function mergeEnvironments(linked: readonly LinkedEnvironment[]): Diagnostic[] {
  const found = new Map<string, { diagnostic: Diagnostic; envs: (string | undefined)[] }>();
  for (const { env, workers, loaded } of linked) {
    for (const diagnostic of loaded.diagnostics) {
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

/** Replaces the Workers' names by numbers: each environment has its own names, but the same order. */
function withoutNames(text: string, workers: Environment["workers"]): string {
  return workers.reduce(
    (left, { workerName }, position) => left.replaceAll(`Worker ${quote(workerName)}`, `Worker ${position}`),
    text,
  );
}

/** Adds one note for each config that does not exist. */
function suggestInit(diagnostics: readonly Diagnostic[]): void {
  const missing = new Map(
    diagnostics
      .filter(({ code, file }) => /^no-(hyperdrive-)?entry$/.test(code) && !existsSync(file))
      .map((diagnostic) => [diagnostic.file, diagnostic]),
  );
  for (const { file, notes } of missing.values()) {
    notes.push(`There is no ${path.basename(file)} yet. Type "miniflare-vpc init" to create one.`);
  }
}

function reportModel(
  model: VpcModel,
  { project, all, diagnostics }: { project: Project; all: readonly Environment[]; diagnostics: Diagnostic[] },
): void {
  if (!model.isReadable) return;
  const isBeside = (folder: string | undefined): boolean => folder === model.document.folder;
  const beside = project.configs.filter(({ userFile }) => isBeside(path.dirname(userFile)));
  const previews = beside.flatMap(({ raw }) => readPreviewBindings(raw));
  const bindings = all
    .flatMap(({ workers }) => workers)
    .filter(({ rootPath }) => isBeside(rootPath))
    .flatMap((worker) => worker.bindings)
    .concat(previews);
  const where = beside.map(({ userFile }) => formatLocation({ file: userFile })).join(" and ");
  // A likely typo is already reported, with the name that was meant.
  const slips = new Set(diagnostics.filter(({ code }) => code === "unmatched-key").map(placeKey));
  const added: Diagnostic[] = [];
  const report = reportTo(added, model.document);
  // A config that can't be read can have any binding. So can the other modes of one that is a program.
  const isComplete =
    !project.unreadable.some((file) => isBeside(path.dirname(file))) &&
    !beside.some(({ file }) => path.basename(file) === NEW_CONFIG);
  if (isComplete) {
    const found = [findTwice(model, bindings), findUnbound(model, bindings, where), findIdleRest(model, bindings)];
    for (const finding of found.flat()) report(finding);
  }
  for (const finding of findUnnamed(model)) report(finding);
  for (const [key, entry] of model.networks) {
    if (entry.kind !== "entry") continue;
    const alone = findUnreachable(entry.routes);
    for (const unreachable of alone) report(describeUnreachable(unreachable, model));
    const isMesh = key === MESH_ID || bindings.some(({ id, bindingName }) => id === MESH_ID && bindingName === key);
    if (!isMesh) continue;
    const others = [...model.networks.values()].flatMap((other) =>
      other !== entry && other.kind === "entry" ? other.routes : [],
    );
    for (const unreachable of findUnreachableInMesh(entry.routes, others, alone))
      report(describeUnreachable(unreachable, model));
  }
  diagnostics.push(...added.filter((diagnostic) => !slips.has(placeKey(diagnostic))));
  // A binding of a preview is not in a session, but its key is not a typo.
  const previewed = new Set(
    [...model.services, ...model.networks, ...model.hyperdrives]
      .filter(([key]) => previews.some(({ bindingName }) => bindingName === key))
      .map(([, { at }]) => placeKey({ file: model.document.file, ...model.document.locate(at, "key") })),
  );
  const isKept = (found: Diagnostic): boolean => found.code !== "unmatched-key" || !previewed.has(placeKey(found));
  if (previewed.size > 0) diagnostics.splice(0, Infinity, ...diagnostics.filter(isKept));
}

function placeKey({ file, line, column }: Pick<Diagnostic, "file" | "line" | "column">): string {
  return `${file}:${line}:${column}`;
}

/** How many of the routes that cover another one are named. */
const MAX_NAMED = 3;

function describeUnreachable({ route, by }: Unreachable, { document }: VpcModel): Finding {
  const named = by
    .slice(0, MAX_NAMED)
    .map((other) => `${quote(other.text)} (${other.origin ?? placeOf(document, other.at)})`);
  // The diagnostic of a compose route points at "compose", so the text names the route's place.
  const where = route.origin === undefined ? "" : ` of ${route.origin}`;
  const more = by.length > MAX_NAMED ? ` and ${by.length - MAX_NAMED} more` : "";
  return {
    severity: "warning",
    code: "unreachable-route",
    text: `the route ${quote(route.text)}${where} is never reached: more specific routes cover all of it`,
    at: route.at,
    part: "key",
    notes: [`They are ${named.join(", ")}${more}. Remove this route, or those that should not override it.`],
  };
}
