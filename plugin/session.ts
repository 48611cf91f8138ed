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
  /** Left to wrangler's remote bindings. @param key a `bindingKey` */
  isRemote(key: string): boolean;
  /** The services of this session, the same for every Worker; the first call starts the watch. */
  activate(host: Host): ServicesExtensions;
}

/** Miniflare's LogLevel; the enum itself can't be imported. */
const ERROR = 1;

let generation = 0;

/** What is in force in each instance, by its temporary folder: the watch to end at a reload. */
const active = new Map<string, { close(): void }>();
/** The last config that worked, by what makes an instance recognisable across reloads. */
const lastGood = new Map<string, LoadedSession>();

/** @throws {ConfigError} with every mistake, unless an earlier load of the same instance worked */
export async function openSession(instance: Instance): Promise<Session> {
  const load = (): Promise<LoadedSession> => loadSession({ ...instance, generation: ++generation });
  const identity = JSON.stringify([instance.workers, typeof instance.source === "string" ? instance.source : ""]);
  const fresh = await load();
  const isBroken = hasErrors(fresh.diagnostics);
  const loaded = isBroken ? lastGood.get(identity) : fresh;
  if (loaded === undefined) throw new ConfigError(fresh.diagnostics);
  lastGood.set(identity, loaded);

  const egress = await egressProxy();
  const owner = `${process.pid}:${loaded.table.generation}`;
  egress.setFunctions(owner, loaded.functions);
  const control = await controlAddress(egress.directory);
  const services = buildServices({
    table: loaded.table,
    workers: instance.workers,
    egress,
    controlAddress: control.address,
    script: bundled("service-worker.js"),
  });

  async function edit({ log, tmpPath }: Host): Promise<readonly string[]> {
    const next = await load();
    if (hasErrors(next.diagnostics)) {
      log.logWithLevel(
        ERROR,
        `The vpc config is broken; the last good one stays in force.\n${formatDiagnostics(next.diagnostics)}`,
      );
      return next.files;
    }
    report(log, next.diagnostics);
    egress.setFunctions(owner, next.functions);
    const pushed = await pushTable(control, {
      table: next.table,
      secret: egress.secret,
      isOver: () => !existsSync(tmpPath),
    });
    if (pushed === "over") {
      active.get(tmpPath)?.close();
      return [];
    }
    lastGood.set(identity, next);
    if (next.remoteBindings.symmetricDifference(loaded.remoteBindings).size > 0) {
      log.warn('The vpc config now says "remote" of other bindings: restart for this to take effect.');
    }
    log.info(
      `Took over ${next.files
        .filter((file) => existsSync(file))
        .map((file) => path.basename(file))
        .join(", ")}`,
    );
    return next.files;
  }

  let isActive = false;
  return {
    isRemote: (key) => loaded.remoteBindings.has(key),
    activate(host) {
      if (!isActive) {
        isActive = true;
        active.get(host.tmpPath)?.close();
        report(host.log, fresh.diagnostics);
        if (isBroken) host.log.logWithLevel(ERROR, "The vpc config is broken; the last good one stays in force.");
        const watch = watchFiles(
          fresh.files,
          () => edit(host),
          (error) => host.log.error(error),
        );
        active.set(host.tmpPath, watch);
      }
      return services;
    },
  };
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
