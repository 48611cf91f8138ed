/**
 * One Miniflare instance between two reloads: its table, its services, and the watch on its vpc configs.
 * Pushes their edits into the running service worker.
 *
 *   vpc.jsonc ── edit ──▶ loadTable ── table ──▶ the order that the service worker keeps open
 */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Extension, PluginServicesOptions, Service } from "miniflare";
import { type IndexedTable, indexTable } from "../../service-worker/routing/route-index.ts";
import { type RoutingTable, bindingKey, bindingLabel } from "../../service-worker/routing/table.ts";
import { ConfigError, type Diagnostic, formatDiagnostics, hasErrors } from "../diagnostics.ts";
import { type EgressProxy, egressProxy } from "../egress/server.ts";
import { type LoadedTable, loadTable } from "../load.ts";
import { openNativeTls } from "../egress/tls/native-tls.ts";
import { type HyperdriveDoors, openDoors } from "../hyperdrive/doors.ts";
import { DEFAULT_SETTINGS, type DatabaseLogin, shownName } from "../model.ts";
import { NO_LOGIN, changedLogins, databasesOf } from "./hyperdrive-binding.ts";
import { type InstanceScenario, openScenario } from "./instance-scenario.ts";
import { knownSecureTargets } from "./known-secure-targets.ts";
import type { Instance } from "./read-instance.ts";
import { FACADE_MODULE, HYPERDRIVE_MODULE, TEST_DOOR_MODULE, buildServices } from "./services.ts";
import { type StandIns, createStandIns } from "../stand-ins/stand-ins.ts";
import { changedSince } from "../system/file-state.ts";
import { aboutRecordings } from "../recordings/har-problem.ts";
import { watchFiles } from "../system/watch.ts";
import { chooseUi } from "../ui/ui-choice.ts";

type Host = Pick<PluginServicesOptions, "log" | "tmpPath">;

export interface PreparedInstance {
  /**
   * Puts the table of this instance into force, once, and starts to watch its files.
   *
   * @throws {ConfigError} with every mistake, unless an earlier config of the same instance worked
   */
  activate(host: Host): Promise<ActiveInstance>;
}

export interface ActiveInstance {
  /** The services of this instance, the same for every Worker. */
  services: Service[];
  /** What a Hyperdrive binding shows to its Worker. @param key a `bindingKey` */
  loginOf(key: string): DatabaseLogin;
  /** Where the Hyperdrive bindings connect to. */
  doors: HyperdriveDoors;
  /** Whether wrangler's remote bindings serve it. @param key a `bindingKey` */
  isRemote(key: string): boolean;
  /** What a client in this process finds its scenario by. */
  scenarioId: string;
}

interface Force {
  lastGood: LoadedTable;
  scenario: InstanceScenario;
  standIns: StandIns;
  /** What was printed about the config, so that a reload doesn't repeat it. */
  reported: string;
  close(): void;
}

/** Milliseconds. */
const DISPOSAL_POLL = 500;

let generation = 0;

/** What is in force in each instance, by its temporary folder. Kept across its reloads. */
const inForce = new Map<string, Force>();

export function prepareInstance(instance: Instance): PreparedInstance {
  let active: Promise<ActiveInstance> | undefined;
  return {
    activate(host) {
      active ??= activate(instance, host);
      return active;
    },
  };
}

async function activate(instance: Instance, { log: given, tmpPath }: Host): Promise<ActiveInstance> {
  const log = given.constructor.name === "NoOpLog" ? STANDARD_ERROR : given;
  const egress = await egressProxy();
  // Some versions of Miniflare make the folder only when they need it. All of them remove it.
  mkdirSync(tmpPath, { recursive: true });

  const started = Date.now();
  const fresh = await loadSettled(instance);
  const before = inForce.get(tmpPath);
  const isBroken = hasErrors(fresh.diagnostics);
  const loaded = isBroken ? before?.lastGood : fresh;
  if (loaded === undefined) throw new ConfigError(fresh.diagnostics);
  before?.close();
  const reported = formatDiagnostics(fresh.diagnostics);
  if (reported !== (before?.reported ?? "")) report(log, fresh.diagnostics);

  const standIns = before?.standIns ?? createStandIns((text) => log.warn(text));
  const feed = egress.openTableFeed();
  const lanes = egress.openLanes(feed.feedId);
  let index: IndexedTable | undefined;
  let newest: RoutingTable;
  const native = openNativeTls(knownSecureTargets(loaded.table));
  const tableOf = (table: LoadedTable): RoutingTable => {
    index = undefined;
    return (newest = scenario.withScenario(native.withChanges(withEveryBinding(table, instance))));
  };
  const pushAgain = (): Promise<void> =>
    feed.push(tableOf({ ...force.lastGood, table: { ...force.lastGood.table, generation: ++generation } }));
  const scenario = openScenario(instance, {
    standIns,
    before: before?.scenario,
    print: (line) => log.info(line),
    repeat: (call) => feed.repeat(call),
    push: pushAgain,
  });
  egress.scenarios.set(feed.feedId, scenario.scenario);
  egress.nativeTls.set(feed.feedId, native);
  feed.onGone(() => scenario.runtimeGone());
  const withRoots = (files: readonly string[]): string[] => [...files, ...native.files];
  const watch = watchFiles(
    withRoots(fresh.files),
    async () => withRoots(await edit()),
    (error) => log.error(error),
  );
  const force: Force = { lastGood: loaded, scenario, standIns, reported, close };
  inForce.set(tmpPath, force);
  // Not before: this instance may go on with the scenario of one that was disposed of.
  forgetDisposed(egress);
  serve(loaded);
  // The files were not watched while they were read.
  if (withRoots(fresh.files).some((file) => changedSince(file, started))) watch.check();

  let doors: HyperdriveDoors | undefined;

  // The last instance of a process has no one after it that would find out.
  const disposal = setInterval(() => scenario.page.isServed && forgetDisposed(egress), DISPOSAL_POLL).unref();

  function close(): void {
    clearInterval(disposal);
    watch.close();
    feed.close();
    lanes.close();
    doors?.close();
    egress.scenarios.delete(feed.feedId);
    egress.nativeTls.delete(feed.feedId);
  }

  function serve({ functions, standIns: linked }: LoadedTable): void {
    scenario.record(linked.values());
    egress.functions.set(tmpPath, functions);
    egress.standIns.set(tmpPath, standIns.serve(linked));
  }

  function setPage({ ui }: LoadedTable): Promise<void> {
    const isForTest = instance.workers.some((worker) => worker.isForTest);
    // A config that is passed as an object is code, not a file that is there for everyone.
    const asked = instance.ui ?? (typeof instance.source === "object" ? ui : undefined);
    const choice = chooseUi({ asked, configured: ui, isForTest, env: process.env });
    return scenario.page.set(choice, log);
  }

  let edits = 0;

  async function edit(): Promise<readonly string[]> {
    const own = ++edits;
    const next = await loadSettled(instance);
    // A later edit was loaded faster.
    if (own !== edits) return next.files;
    const isOver = (): boolean => inForce.get(tmpPath) !== force || !existsSync(tmpPath);
    if (isOver()) return [];
    force.reported = formatDiagnostics(next.diagnostics);
    report(log, next.diagnostics);
    if (hasErrors(next.diagnostics)) {
      if (native.hasChanged()) await pushAgain();
      return next.files;
    }
    serve(next);
    await setPage(next);
    await feed.push(tableOf(next));
    if (isOver()) {
      forgetDisposed(egress);
      return [];
    }
    const before = force.lastGood;
    force.lastGood = next;
    if (
      !instance.isGenerated &&
      next.remoteBindings.symmetricDifference(loaded?.remoteBindings ?? new Set()).size > 0
    ) {
      log.warn('The vpc config now says "remote" for other bindings: restart to apply this.');
    }
    const changed = changedLogins(next.logins, loaded?.logins ?? new Map());
    if (changed !== "") log.warn(`There is another login for ${changed} now: restart to apply it.`);
    if (changed !== "" && isSameTable(next, before)) return next.files;
    const applied = namesOf(next.files) ? `Applied ${namesOf(next.files)}` : "The vpc config was removed";
    log.info(changed === "" ? applied : `${applied}, except for that login`);
    return next.files;
  }

  const table = tableOf(loaded);
  doors = await openDoors(databasesOf(instance, loaded), {
    egress,
    feedId: feed.feedId,
    index: () => (index ??= indexTable(newest)),
    windows: new Map(),
    log,
    privateDirectory: egress.privateDirectory,
  });
  await scenario.startControl({ privateDirectory: egress.privateDirectory, log });
  await setPage(loaded);
  return {
    services: buildServices({
      table,
      workers: instance.workers,
      native,
      egress,
      feedId: feed.feedId,
      doors: doors.addresses,
      lanes: lanes.addresses,
      script: bundled("service-worker.js"),
    }),
    scenarioId: instance.scenarioIds[0],
    doors,
    loginOf: (key) => loaded.logins.get(key) ?? NO_LOGIN,
    isRemote: (key) => loaded.remoteBindings.has(key),
  };
}

function isSameTable(...loaded: [LoadedTable, LoadedTable]): boolean {
  const [now, before] = loaded.map(({ table }) => JSON.stringify({ ...table, generation: 0 }));
  return now === before;
}

function load(instance: Instance): Promise<LoadedTable> {
  return loadTable({ ...instance, generation: ++generation });
}

/** How many milliseconds an editor may leave a file half written, and how often it is read again. */
const HALF_WRITTEN = 50;
const MAX_READS = 10;

/** A broken config that was written a moment ago may be only half written. */
async function loadSettled(instance: Instance): Promise<LoadedTable> {
  for (let reads = 1; ; reads++) {
    const loaded = await load(instance);
    const isFresh = loaded.files.some((file) => changedSince(file, Date.now() - HALF_WRITTEN));
    if (reads === MAX_READS || !isFresh || !hasErrors(loaded.diagnostics)) return loaded;
    await setTimeout(HALF_WRITTEN, undefined, { ref: false });
  }
}

/** Miniflare doesn't tell plugins that an instance was disposed, but removes its folder. */
function forgetDisposed(egress: EgressProxy): void {
  for (const [tmpPath, force] of inForce) {
    if (existsSync(tmpPath)) continue;
    force.close();
    force.scenario.close();
    inForce.delete(tmpPath);
    egress.functions.drop(tmpPath);
    egress.standIns.drop(tmpPath);
    force.standIns.close();
  }
}

/** Adds bindings that the running runtime has but the table lacks, so that their calls are refused with an explanation. */
function withEveryBinding({ table, remoteBindings }: LoadedTable, { workers }: Instance): RoutingTable {
  const missing: RoutingTable["bindings"] = {};
  const bound = workers.filter((worker) => worker.bindings.length > 0).length;
  for (const worker of workers) {
    const { isForNode, bindings: all } = worker;
    const workerName = shownName(worker);
    for (const { bindingName, bindingType, id, isOurs, ownString } of all) {
      const key = bindingKey(worker.workerName, bindingName);
      if (ownString !== undefined || table.bindings[key] !== undefined) continue;
      missing[key] = {
        kind: "unlinked",
        because: !remoteBindings.has(key) ? "config-broken" : isForNode && isOurs ? "remote-off" : "made-remote",
        workerName,
        bindingName,
        label: bindingLabel({ workerName, bindingName }, bound),
        bindingType,
        id,
        configFile: "",
        tls: { verify: "verify_full", ca: [] },
        limits: DEFAULT_SETTINGS.limits,
        traffic: false,
      };
    }
  }
  // A copy of 1000 bindings takes 5 ms.
  return Object.keys(missing).length === 0 ? table : { ...table, bindings: { ...table.bindings, ...missing } };
}

function namesOf(files: readonly string[]): string {
  return files
    .filter((file) => existsSync(file))
    .map((file) => path.basename(file))
    .join(", ");
}

type Log = Pick<Host["log"], "info" | "warn" | "error">;

/** Used if Miniflare has no log, as in `getPlatformProxy`. Standard output belongs to the program. */
const STANDARD_ERROR: Log = { info: printError, warn: printError, error: ({ message }) => printError(message) };

function printError(text: string): void {
  console.error(`miniflare-vpc: ${text.trim()}`);
}

function report(log: Log, diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  const text = formatDiagnostics(diagnostics);
  if (!hasErrors(diagnostics)) return log.warn(`\n${text}`);
  const error = new Error(
    `The vpc config is broken; the last good one stays in force.${aboutRecordings(diagnostics)}\n${text}`,
  );
  // A stack says nothing about the user's file.
  error.stack = error.message;
  log.error(error);
}

/** What runs in the isolate of a user's Worker. */
export function extensionModules({ workers }: Instance): NonNullable<Extension["modules"]> {
  const own = [
    { name: FACADE_MODULE, internal: true, esModule: bundled("facade.js") },
    { name: HYPERDRIVE_MODULE, internal: true, esModule: bundled("hyperdrive.js") },
  ];
  if (!workers.some(({ isForTest }) => isForTest)) return own;
  return [...own, { name: TEST_DOOR_MODULE, internal: true, esModule: bundled("test-binding.js") }];
}

/** Reads a file that the build puts beside this one. */
function bundled(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}
