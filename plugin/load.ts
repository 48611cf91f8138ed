/**
 * Makes the table of a session: reads and parses each vpc config, links it with the Workers that use it, and
 * compiles all of them into one table. Never throws for a user's mistake; all of them are in `diagnostics`.
 */

import path from "node:path";

import type { RoutingTable } from "../service-worker/routing/table.ts";
import { compile } from "./link/compile.ts";
import type { VpcConfig, VpcFunctionTarget } from "./config.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { type VpcDocument, emptyDocument } from "./read/document.ts";
import { type LinkedBinding, link } from "./link/link.ts";
import type { LinkedStandIn } from "./link/resolve-target.ts";
import type { DatabaseLogin, SessionWorker, VpcModel } from "./model.ts";
import { findPasswords } from "./read/find-passwords.ts";
import { emptyModel, parseConfig } from "./parse/parse-config.ts";
import { readVpc, readVpcIn } from "./read/read-vpc.ts";
import { type Whereabouts, makeWhereabouts } from "./system/whereabouts.ts";
import { openapiTargetsOf } from "./stand-ins/openapi-targets.ts";
import type { ReadResult } from "./read/result.ts";
import type { UiSetting } from "./ui/ui-choice.ts";

/** A path, the config itself, or undefined for the config next to each Worker's wrangler config. */
export type VpcConfigSource = string | VpcConfig | undefined;

/** The file name of a config that was passed as an object. */
export const OBJECT_SOURCE = "<vpc config>";

export interface LoadOptions {
  /** Every Worker of the session, including those without VPC bindings. */
  workers: readonly SessionWorker[];
  source: VpcConfigSource;
  /** The wrangler environment: `worker:NAME` is also looked up as `NAME-<env>`. */
  env: string | undefined;
  generation: number;
  /** For a caller that links one config in several environments and reads it once. Default: `readModel`, each time. */
  readModel?: typeof readModel;
  /** Whether large recordings are read, too. Default: false. */
  isThorough?: boolean;
}

/** A vpc config that is read and parsed, but not linked yet. */
export interface ReadModel {
  model: VpcModel;
  diagnostics: readonly Diagnostic[];
  /** Absolute paths. If any of these files changes or is created, the model changes. */
  watch: readonly string[];
}

export interface LoadedTable {
  /** Complete even if there are errors: bindings whose entry could not be read are unlinked. */
  table: RoutingTable;
  /** Keyed by function id; the ids contain the generation. */
  functions: Map<string, VpcFunctionTarget>;
  /** Keyed by the id of each, which contains the generation. */
  standIns: Map<string, LinkedStandIn>;
  /** Of the first vpc config that says it. */
  ui?: UiSetting;
  /** `bindingKey`s of bindings that the table leaves to wrangler. */
  remoteBindings: Set<string>;
  /** The login that each Hyperdrive binding shows to its Worker, by `bindingKey`. The table has no passwords. */
  logins: Map<string, DatabaseLogin>;
  /** Absolute paths. If any of these files changes or is created, the table must be made again. */
  files: string[];
  diagnostics: Diagnostic[];
}

export async function loadTable(options: LoadOptions): Promise<LoadedTable> {
  const { workers, source, env, generation, readModel: read = readModel, isThorough = false } = options;
  const diagnostics: Diagnostic[] = [];
  const files = new Set<string>();
  const bindings: LinkedBinding[] = [];
  const functions = new Map<string, VpcFunctionTarget>();
  const standIns = new Map<string, LinkedStandIn>();
  const remoteBindings = new Set<string>();
  const logins = new Map<string, DatabaseLogin>();
  const workerNames = workerNamesOf(workers);
  let ui: UiSetting | undefined;

  const bound = workers.filter((worker) => worker.bindings.length > 0);
  const byFolder = Map.groupBy(bound, ({ rootPath }) => (source === undefined ? path.resolve(rootPath ?? "") : ""));
  for (const [folder, sharers] of byFolder) {
    const { model, diagnostics: found, watch } = await read(source, folder);
    // No spread, because there can be more of them than a call can take arguments.
    for (const diagnostic of found) diagnostics.push(diagnostic);
    for (const file of watch) files.add(file);
    ui ??= model.settings.ui;
    const linked = link(model, { workers: sharers, workerNames, env, generation }, diagnostics);
    bindings.push(...linked.bindings);
    for (const [id, call] of linked.functions) functions.set(id, call);
    for (const [id, standIn] of linked.standIns) standIns.set(id, standIn);
    for (const key of linked.remoteBindings) remoteBindings.add(key);
    for (const [key, login] of linked.logins) logins.set(key, login);
  }
  if ([...standIns.values()].some(({ model }) => model.type === "har")) {
    // Imported only here, because few configs have one.
    const { checkRecordings } = await import("./recordings/check-recordings.ts");
    diagnostics.push(...(await checkRecordings(standIns.values(), { isThorough })));
  }
  const table = compile(bindings, generation);
  const more = ui === undefined ? {} : { ui };
  return { table, functions, standIns, remoteBindings, logins, files: [...files], diagnostics, ...more };
}

/** All Workers of a session: from each name that a target may use to the Worker's name in the session. */
export function workerNamesOf(workers: readonly SessionWorker[]): Map<string, string> {
  return new Map([
    ...workers.flatMap(({ workerName, ownName }) => (ownName === undefined ? [] : [[ownName, workerName] as const])),
    // A Worker that really has a name wins over one that only its own wrangler config calls so.
    ...workers.map(({ workerName }) => [workerName, workerName] as const),
  ]);
}

/**
 * @param folder where to look if `source` is undefined
 * @param whereabouts of this process, which decide how the services of a compose file are reached
 */
export async function readModel(
  source: VpcConfigSource,
  folder: string,
  whereabouts: Whereabouts = makeWhereabouts(),
): Promise<ReadModel> {
  const result = await readSource(source, folder);
  const diagnostics = [...result.diagnostics];
  const model = await parseResult(result, diagnostics);
  const isComposed = [...model.networks.values()].some((entry) => entry.kind === "entry" && entry.compose.length > 0);
  // A missing certificate file that appears later must lead to another load.
  const watch = [...result.watch, ...model.namedFiles, ...findPasswords(model)];
  // Imported only here, because loading the YAML parser is slow.
  if (openapiTargetsOf(model).length > 0) {
    const { checkOpenapi } = await import("./stand-ins/check-openapi.ts");
    checkOpenapi(model, diagnostics);
  }
  if (!isComposed) return { model, diagnostics, watch };
  const { addComposeRoutes } = await import("./compose/add-compose-routes.ts");
  const composed = await addComposeRoutes(model, diagnostics, whereabouts);
  return { model: composed.model, diagnostics, watch: [...watch, ...composed.files] };
}

async function readSource(source: VpcConfigSource, folder: string): Promise<ReadResult> {
  if (source === undefined) return readVpcIn(folder);
  if (typeof source === "string") return readVpc(path.resolve(source));
  const document: VpcDocument = { ...emptyDocument(OBJECT_SOURCE, process.cwd()), value: source };
  return { document, diagnostics: [], file: OBJECT_SOURCE, watch: [] };
}

async function parseResult(result: ReadResult, diagnostics: Diagnostic[]): Promise<VpcModel> {
  if (result.document !== undefined) return parseConfig(result.document, diagnostics);
  const document = emptyDocument(result.file, path.dirname(result.file));
  // If the file does not exist yet, its entries are missing; if it can't be read, a diagnostic says why.
  return emptyModel(document, { isReadable: result.diagnostics.length === 0 });
}
