/**
 * One Miniflare instance between two reloads: its table, its services, and the watch on its vpc
 * configs, whose edits are pushed into the running service worker.
 *
 *   vpc.jsonc ── edit ──▶ loadSession ── table ──▶ POST to the control socket ──▶ Control
 */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { PluginServicesOptions, ServicesExtensions } from "miniflare";
import { ConfigError, type Diagnostic, formatDiagnostics, hasErrors } from "./diagnostics.ts";
import { egressProxy } from "./egress/server.ts";
import { type LoadedSession, loadSession } from "./load.ts";
import { controlAddress, pushTable } from "./push.ts";
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

let generation = 0;

/** What is in force in each instance, by its temporary folder: kept across its reloads. */
const inForce = new Map<string, { lastGood: LoadedSession; close(): void }>();

export async function openSession(instance: Instance): Promise<Session> {
  const load = (): Promise<LoadedSession> => loadSession({ ...instance, generation: ++generation });
  const fresh = await load();
  let active: Promise<ActiveSession> | undefined;
  return {
    activate(host) {
      active ??= activate(instance, { fresh, load, host });
      return active;
    },
  };
}

async function activate(
  instance: Instance,
  { fresh, load, host }: { fresh: LoadedSession; load: () => Promise<LoadedSession>; host: Host },
): Promise<ActiveSession> {
  const { log, tmpPath } = host;
  const before = inForce.get(tmpPath);
  const isBroken = hasErrors(fresh.diagnostics);
  const loaded = isBroken ? before?.lastGood : fresh;
  if (loaded === undefined) throw new ConfigError(fresh.diagnostics);
  before?.close();
  if (isBroken) complain(log, fresh.diagnostics);
  else report(log, fresh.diagnostics);

  const egress = await egressProxy();
  egress.setFunctions(tmpPath, loaded.functions);
  const control = await controlAddress(egress.directory);
  const watch = watchFiles(fresh.files, edit, (error) => log.error(error));
  const force = { lastGood: loaded, close: () => watch.close() };
  inForce.set(tmpPath, force);

  async function edit(): Promise<readonly string[]> {
    const next = await load();
    if (hasErrors(next.diagnostics)) {
      complain(log, next.diagnostics);
      return next.files;
    }
    report(log, next.diagnostics);
    egress.setFunctions(tmpPath, next.functions);
    const isOver = (): boolean => !existsSync(tmpPath);
    if ((await pushTable(control, { table: next.table, secret: egress.secret, isOver })) === "over") {
      watch.close();
      inForce.delete(tmpPath);
      egress.setFunctions(tmpPath, new Map());
      return [];
    }
    // With a generated config, that config changes too, and wrangler restarts by itself.
    const isGenerated = instance.workers.some(({ bindings }) => bindings.some(({ isOurs }) => isOurs));
    if (!isGenerated && next.remoteBindings.symmetricDifference(force.lastGood.remoteBindings).size > 0) {
      log.warn('The vpc config now says "remote" of other bindings: restart for this to take effect.');
    }
    force.lastGood = next;
    log.info(`Took over ${namesOf(next.files)}`);
    return next.files;
  }

  return {
    services: buildServices({
      table: loaded.table,
      workers: instance.workers,
      egress,
      controlAddress: control.address,
      script: bundled("service-worker.js"),
    }),
    isRemote: (key) => loaded.remoteBindings.has(key),
  };
}

function namesOf(files: readonly string[]): string {
  return files
    .filter((file) => existsSync(file))
    .map((file) => path.basename(file))
    .join(", ");
}

function complain(log: Host["log"], diagnostics: readonly Diagnostic[]): void {
  const error = new Error(
    `The vpc config is broken; the last good one stays in force.\n${formatDiagnostics(diagnostics)}`,
  );
  // A stack says nothing about the user's file.
  error.stack = error.message;
  log.error(error);
}

function report(log: Host["log"], diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) log.warn(`\n${formatDiagnostics(diagnostics)}`);
}

export function facadeScript(): string {
  return bundled("facade.js");
}

/** A file that the build puts beside this one. */
function bundled(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}
