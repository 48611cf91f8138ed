/**
 * One Miniflare instance between two reloads: its table, its services, and the watch on its vpc
 * configs, whose edits are pushed into the running service worker.
 *
 *   vpc.jsonc ── edit ──▶ loadSession ── table ──▶ POST to the control socket ──▶ Control
 */

import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { PluginServicesOptions, ServicesExtensions } from "miniflare";
import { type RoutingTable, bindingKey } from "../service-worker/table.ts";
import { ConfigError, type Diagnostic, formatDiagnostics, hasErrors } from "./diagnostics.ts";
import { type EgressProxy, egressProxy } from "./egress/server.ts";
import { type LoadedSession, loadSession } from "./load.ts";
import { makeControl, pushTable } from "./push.ts";
import { DEFAULT_SETTINGS } from "./model.ts";
import type { Instance } from "./read-instance.ts";
import { buildServices } from "./services.ts";
import { watchFiles } from "./watch.ts";

type Host = Pick<PluginServicesOptions, "log" | "tmpPath">;

export interface Session {
  /**
   * Makes this session the one in force in its instance, once; the watch on its files starts.
   *
   * @throws {ConfigError} with every mistake, unless an earlier config of the same instance worked
   */
  activate(host: Host): Promise<ActiveSession>;
}

export interface ActiveSession {
  /** The services of this session, the same for every Worker. */
  services: ServicesExtensions;
  /** Left to wrangler's remote bindings. @param key a `bindingKey` */
  isRemote(key: string): boolean;
}

interface Force {
  lastGood: LoadedSession;
  /** What was printed about the config, so that a reload does not say it again. */
  reported: string;
  close(): void;
}

let generation = 0;

/** What is in force in each instance, by its temporary folder: kept across its reloads. */
const inForce = new Map<string, Force>();

export function openSession(instance: Instance): Session {
  let active: Promise<ActiveSession> | undefined;
  return {
    activate(host) {
      active ??= activate(instance, host);
      return active;
    },
  };
}

async function activate(instance: Instance, { log, tmpPath }: Host): Promise<ActiveSession> {
  const egress = await egressProxy();
  forgetDisposed(egress);

  const started = Date.now();
  const fresh = await load(instance);
  const before = inForce.get(tmpPath);
  const isBroken = hasErrors(fresh.diagnostics);
  const loaded = isBroken ? before?.lastGood : fresh;
  if (loaded === undefined) throw new ConfigError(fresh.diagnostics);
  before?.close();
  const reported = formatDiagnostics(fresh.diagnostics);
  if (reported !== (before?.reported ?? "")) report(log, fresh.diagnostics);

  const control = await makeControl(egress.directory);
  const watch = watchFiles(fresh.files, edit, (error) => log.error(error));
  const force: Force = { lastGood: loaded, reported, close: () => watch.close() };
  inForce.set(tmpPath, force);
  egress.setFunctions(tmpPath, loaded.functions);
  // Nobody watched while it was read.
  if (fresh.files.some((file) => changedSince(file, started))) watch.check();

  async function edit(): Promise<readonly string[]> {
    const next = await load(instance);
    const isOver = (): boolean => inForce.get(tmpPath) !== force || !existsSync(tmpPath);
    if (isOver()) return [];
    force.reported = formatDiagnostics(next.diagnostics);
    report(log, next.diagnostics);
    if (hasErrors(next.diagnostics)) return next.files;
    egress.setFunctions(tmpPath, next.functions);
    if ((await pushTable(control, { table: withEveryBinding(next, instance), isOver })) === "over") {
      forgetDisposed(egress);
      return [];
    }
    force.lastGood = next;
    if (
      !instance.isGenerated &&
      next.remoteBindings.symmetricDifference(loaded?.remoteBindings ?? new Set()).size > 0
    ) {
      log.warn('The vpc config now says "remote" of other bindings: restart for this to take effect.');
    }
    log.info(`Took over ${namesOf(next.files) || "that there is no vpc config any more"}`);
    return next.files;
  }

  return {
    services: buildServices({
      table: withEveryBinding(loaded, instance),
      workers: instance.workers,
      egress,
      control,
      script: bundled("service-worker.js"),
    }),
    isRemote: (key) => loaded.remoteBindings.has(key),
  };
}

function load(instance: Instance): Promise<LoadedSession> {
  return loadSession({ ...instance, generation: ++generation });
}

/** Miniflare tells no plugin that an instance was disposed of, but removes its folder. */
function forgetDisposed(egress: EgressProxy): void {
  for (const [tmpPath, force] of inForce) {
    if (existsSync(tmpPath)) continue;
    force.close();
    inForce.delete(tmpPath);
    egress.dropFunctions(tmpPath);
  }
}

/** A binding that the running runtime has but the table lacks is refused in words, not a surprise. */
function withEveryBinding({ table, remoteBindings }: LoadedSession, { workers }: Instance): RoutingTable {
  const bindings = { ...table.bindings };
  for (const { workerName, bindings: all } of workers) {
    for (const { bindingName, bindingType, id } of all) {
      const key = bindingKey(workerName, bindingName);
      bindings[key] ??= {
        kind: "unlinked",
        because: remoteBindings.has(key) ? "made-remote" : "config-broken",
        workerName,
        bindingName,
        bindingType,
        id,
        configFile: "",
        limits: DEFAULT_SETTINGS.limits,
        traffic: false,
      };
    }
  }
  return { ...table, bindings };
}

function changedSince(file: string, time: number): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && stats.mtimeMs >= time;
}

function namesOf(files: readonly string[]): string {
  return files
    .filter((file) => existsSync(file))
    .map((file) => path.basename(file))
    .join(", ");
}

function report(log: Host["log"], diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  const text = formatDiagnostics(diagnostics);
  if (!hasErrors(diagnostics)) return log.warn(`\n${text}`);
  const error = new Error(`The vpc config is broken; the last good one stays in force.\n${text}`);
  // A stack says nothing about the user's file.
  error.stack = error.message;
  log.error(error);
}

export function facadeScript(): string {
  return bundled("facade.js");
}

/** A file that the build puts beside this one. */
function bundled(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}
