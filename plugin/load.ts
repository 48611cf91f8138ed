/**
 * From a session to its table: has each vpc config read, parsed and linked with the Workers it is for, and
 * compiles all of them into one. Throws for no mistake of a user's; all of them are in `diagnostics`.
 */

import path from "node:path";

import type { RoutingTable } from "../service-worker/table.ts";
import { compile } from "./link/compile.ts";
import type { VpcConfig, VpcFunctionTarget } from "./config.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { type VpcDocument, emptyDocument } from "./read/document.ts";
import { type LinkedBinding, link } from "./link/link.ts";
import type { SessionWorker, VpcModel } from "./model.ts";
import { emptyModel, parseConfig } from "./parse/parse-config.ts";
import { type ReadResult, readVpc, readVpcIn } from "./read/read-vpc.ts";

/** A path; the config itself; or undefined: the one beside each Worker's wrangler config. */
export type ConfigSource = string | VpcConfig | undefined;

/** Stands for the file of a config that was passed as an object. */
export const OBJECT_SOURCE = "<vpc config>";

export interface LoadOptions {
  /** Every Worker of the session, also those without VPC bindings. */
  workers: readonly SessionWorker[];
  source: ConfigSource;
  /** The wrangler environment: `worker:NAME` is also looked up as `NAME-<env>`. */
  env: string | undefined;
  generation: number;
  /** For who links one config with several sessions. Default: `readModel`, each time. */
  readModel?: typeof readModel;
}

/** A vpc config, read and parsed; linked with nothing. */
export interface ReadModel {
  model: VpcModel;
  diagnostics: readonly Diagnostic[];
  /** Absolute; a change to any of them, or its creation, changes the model. */
  watch: readonly string[];
}

export interface LoadedSession {
  /** Complete also when there are errors: what could not be read is unlinked. */
  table: RoutingTable;
  /** By function id; the ids hold the generation. */
  functions: Map<string, VpcFunctionTarget>;
  /** `bindingKey`s of bindings that the table leaves to wrangler. */
  remoteBindings: Set<string>;
  /** Absolute; a change to any of them, or its creation, calls for another load. */
  files: string[];
  diagnostics: Diagnostic[];
}

export async function loadSession(options: LoadOptions): Promise<LoadedSession> {
  const { workers, source, env, generation, readModel: read = readModel } = options;
  const diagnostics: Diagnostic[] = [];
  const files = new Set<string>();
  const bindings: LinkedBinding[] = [];
  const functions = new Map<string, VpcFunctionTarget>();
  const remoteBindings = new Set<string>();
  const workerNames = new Set(workers.map(({ workerName }) => workerName));

  const bound = workers.filter((worker) => worker.bindings.length > 0);
  const byFolder = Map.groupBy(bound, ({ rootPath }) => (source === undefined ? path.resolve(rootPath ?? "") : ""));
  for (const [folder, sharers] of byFolder) {
    const { model, diagnostics: found, watch } = await read(source, folder);
    // Not spread: there may be more of them than a call takes arguments.
    for (const diagnostic of found) diagnostics.push(diagnostic);
    for (const file of watch) files.add(file);
    const linked = link(model, { workers: sharers, workerNames, env, generation }, diagnostics);
    bindings.push(...linked.bindings);
    for (const [id, call] of linked.functions) functions.set(id, call);
    for (const key of linked.remoteBindings) remoteBindings.add(key);
  }
  return { table: compile(bindings, generation), functions, remoteBindings, files: [...files], diagnostics };
}

/** @param folder where to look when there is no source */
export async function readModel(source: ConfigSource, folder: string): Promise<ReadModel> {
  const result = await readSource(source, folder);
  const diagnostics = [...result.diagnostics];
  const model = await parseResult(result, diagnostics);
  const isComposed = [...model.networks.values()].some((entry) => entry.kind === "entry" && entry.compose.length > 0);
  if (!isComposed) return { model, diagnostics, watch: result.watch };
  // Only now: the YAML parser takes as long to load as all the rest.
  const { addComposeRoutes } = await import("./compose/add-compose-routes.ts");
  const composed = addComposeRoutes(model, diagnostics);
  return { model: composed.model, diagnostics, watch: [...result.watch, ...composed.files] };
}

async function readSource(source: ConfigSource, folder: string): Promise<ReadResult> {
  if (source === undefined) return readVpcIn(folder);
  if (typeof source === "string") return readVpc(path.resolve(source));
  const document: VpcDocument = { ...emptyDocument(OBJECT_SOURCE, process.cwd()), value: source };
  return { document, diagnostics: [], file: OBJECT_SOURCE, watch: [] };
}

async function parseResult(result: ReadResult, diagnostics: Diagnostic[]): Promise<VpcModel> {
  if (result.document !== undefined) return parseConfig(result.document, diagnostics);
  const document = emptyDocument(result.file, path.dirname(result.file));
  // A config that is not there yet lacks entries; one that can't be read has a diagnostic that says why.
  return emptyModel(document, { isReadable: result.diagnostics.length === 0 });
}
