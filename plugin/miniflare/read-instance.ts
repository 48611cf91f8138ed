/**
 * Reads what the plugin needs to know about a Miniflare instance: its Workers, their VPC bindings, and the
 * options of its triggers. Reads Miniflare's parsed options; changes nothing.
 */

import { randomUUID } from "node:crypto";
import path from "node:path";
import type { PluginServicesOptions } from "miniflare";
import type { ControlOptions } from "../control/control-options.ts";
import { isDiagnostic } from "../diagnostics.ts";
import { parseDevArgs } from "../wrangler-config/dev-args.ts";
import { pickEnvironment } from "../wrangler-config/find-environment.ts";
import { STAND_IN_STRING } from "../wrangler-config/own-string.ts";
import { PLUGIN_NAMES } from "../wrangler-config/plugin-names.ts";
import { readWranglerConfig, workerNameOf } from "../wrangler-config/read-wrangler.ts";
import { keptConfig } from "./kept-configs.ts";
import type { VpcConfigSource } from "../load.ts";
import type { SessionRecording } from "../recordings/recording-spec.ts";
import type { BindingForNode } from "./node-bindings.ts";
import type { SessionWorker, VpcBinding } from "../model.ts";
import { oldMiniflare } from "./old-miniflare.ts";
import { isPlainObject } from "../read/document.ts";
import type { UiRequest } from "../ui/ui-choice.ts";

type ParsedWorkerOptions = PluginServicesOptions["options"];

/** The parts of a parsed binding that matter here. */
interface EnvBinding {
  type: string;
  id?: string;
  tunnelId?: string;
  networkId?: string;
  dev?: { plugin?: { name?: string }; options?: TriggerOptions; connectionString?: string; remote?: boolean };
}

/** Options of a binding that loads the plugin: a trigger, or a binding of the generated config. */
export interface TriggerOptions {
  /** The vpc config: a path, or the object itself. Absent: the file beside each wrangler config. */
  config?: VpcConfigSource;
  /** The id of a config object, for hosts that only pass on JSON. */
  configId?: string;
  /** The folder of the wrangler config, for hosts that don't pass it on; relative to the Worker's `rootPath`. */
  folder?: string;
  /** The environment in use, for `worker:NAME`; empty: the top level. Absent: CLOUDFLARE_ENV counts. */
  env?: string;
  /** The wrangler config of the Worker that runs inside the one with this trigger; relative to its `rootPath`. */
  runs?: string;
  /** What the user calls that Worker, if it has no wrangler config. */
  ownName?: string;
  bindingType?: VpcBinding["bindingType"];
  id?: string;
  /** What an adapter finds the instance's scenario by. */
  scenarioId?: string;
  /** Other processes may direct the session's scenario. */
  control?: ControlOptions;
  /** The page that shows the traffic. */
  ui?: UiRequest;
  recording?: SessionRecording;
  /** A vitest test runs in the Worker with this trigger. */
  isForTest?: boolean;
  /** Node uses the bindings (`getPlatformProxy`). */
  isForNode?: boolean;
  /** The user has made this Miniflare, and may call its `getBindings()`. */
  isOwnMiniflare?: boolean;
  /** VPC bindings that a service replaces, in the Worker with this trigger. */
  standIns?: VpcBinding[];
  /** The config that a generated one was made from. wrangler's `rootPath` is the first config's folder for all Workers. */
  wranglerConfig?: string;
}

export interface Instance {
  workers: InstanceWorker[];
  source: VpcConfigSource;
  env: string | undefined;
  /** What clients in this process find its scenario by. */
  scenarioIds: [string, ...string[]];
  control: ControlOptions | undefined;
  ui: UiRequest | undefined;
  recording: SessionRecording | undefined;
  /** The configs are generated ones (`miniflare-vpc dev`), which change when an entry becomes "remote". */
  isGenerated: boolean;
}

export interface InstanceWorker extends SessionWorker {
  bindings: InstanceBinding[];
  hasAssets: boolean;
  /** Its bindings are for Node, so the caller is `getPlatformProxy`. */
  isForNode: boolean;
  /** Whose `Response` code in Node gets; undefined if no code in Node has the bindings. */
  nodeResponse: BindingForNode["response"] | undefined;
  /** A vitest test runs in it. */
  isForTest: boolean;
  /** Not in module format, so it can't have a wrapped binding. */
  isServiceWorkerFormat: boolean;
}

interface InstanceBinding extends VpcBinding {
  /** Comes from a generated config, so nothing else serves it. */
  isOurs: boolean;
}

/**
 * @param given replaces a trigger for instances that can't have one
 * @throws {Error} if this Miniflare is too old for the plugin
 */
export function readInstance(options: readonly ParsedWorkerOptions[], given: readonly TriggerOptions[] = []): Instance {
  if (options.some((worker) => !isPlainObject(worker.config))) throw new Error(oldMiniflare("this Miniflare"));
  const triggers = [...triggersOf(options), ...given];
  const isGenerated = triggers.some((trigger) => trigger.wranglerConfig !== undefined);
  const workers = options.map((worker) => readWorker(worker, triggers));
  const { config, configId } = triggers.find((one) => (one.config ?? one.configId) !== undefined) ?? {};
  return {
    // A generated config keeps the bindings that wrangler serves.
    workers: isGenerated ? workers.map(withOursOnly) : workers,
    source: config ?? (configId === undefined ? undefined : keptConfig(configId)),
    env: pickEnvironment(
      triggers.find((trigger) => trigger.env !== undefined)?.env ?? argumentOfWrangler(),
      process.env,
    ),
    scenarioIds: [randomUUID(), ...triggers.flatMap(({ scenarioId }) => scenarioId ?? [])],
    control: triggers.find(({ control }) => control !== undefined)?.control,
    ui: triggers.find(({ ui }) => ui !== undefined)?.ui,
    recording: triggers.find(({ recording }) => recording !== undefined)?.recording,
    isGenerated,
  };
}

/** The options of all bindings that load this plugin. */
export function triggersOf(options: readonly ParsedWorkerOptions[]): TriggerOptions[] {
  return options.flatMap((worker) => Object.values(envOf(worker)).flatMap(readTrigger));
}

function withOursOnly(worker: InstanceWorker): InstanceWorker {
  return { ...worker, bindings: worker.bindings.filter((binding) => binding.isOurs) };
}

function readWorker(options: ParsedWorkerOptions, triggers: readonly TriggerOptions[]): InstanceWorker {
  const own = triggersOf([options]);
  const standIns = own.flatMap((trigger) => trigger.standIns ?? []);
  return {
    workerName: options.config.name,
    ownName: ownNameOf(options, own),
    rootPath: folderOfConfig(options) ?? placeOf(options, triggers) ?? options.dev?.rootPath,
    hasAssets: options.config.assets !== undefined,
    isForNode: own.some(({ isForNode = false }) => isForNode),
    nodeResponse: own.some(({ isForNode = false }) => isForNode)
      ? "Node's"
      : triggers.some(({ isOwnMiniflare = false }) => isOwnMiniflare)
        ? "Miniflare's"
        : undefined,
    isForTest: own.some(({ isForTest = false }) => isForTest),
    isServiceWorkerFormat: options.legacy?.serviceWorkerScript !== undefined,
    bindings: Object.entries(envOf(options)).flatMap(([bindingName, binding]): InstanceBinding[] => {
      const standIn = standIns.find((each) => each.bindingName === bindingName);
      if (standIn !== undefined) return [{ ...standIn, isOurs: true }];
      switch (binding.type) {
        case "vpc-service":
          return [{ bindingName, bindingType: "vpc-service", id: binding.id ?? "", isOurs: false }];
        case "vpc-network":
          return [
            { bindingName, bindingType: "vpc-network", id: binding.tunnelId ?? binding.networkId ?? "", isOurs: false },
          ];
        case "hyperdrive":
          return readHyperdrive(bindingName, binding);
        default:
          return readTrigger(binding).flatMap(({ bindingType, id }) =>
            bindingType === undefined || id === undefined ? [] : [{ bindingName, bindingType, id, isOurs: true }],
          );
      }
    }),
  };
}

/** A binding that has a connection string of its own is Miniflare's. */
function readHyperdrive(bindingName: string, { id = "", dev = {} }: EnvBinding): InstanceBinding[] {
  const { connectionString = "", remote } = dev;
  if (remote === true && connectionString === "") return [];
  const isOwn = connectionString !== "" && connectionString !== STAND_IN_STRING;
  const ownString = 'in "localConnectionString" or a variable of wrangler\'s';
  return [{ bindingName, bindingType: "hyperdrive", id, isOurs: false, ...(isOwn && { ownString }) }];
}

export function envOf(worker: ParsedWorkerOptions): Record<string, EnvBinding> {
  return (worker.config.env ?? {}) as Record<string, EnvBinding>;
}

/** vitest runs a Worker inside its runner, which has its own name. */
function ownNameOf({ dev }: ParsedWorkerOptions, own: readonly TriggerOptions[]): string | undefined {
  const { runs, env } = own.find((trigger) => trigger.runs !== undefined) ?? {};
  if (runs === undefined) return own.find(({ ownName }) => ownName !== undefined)?.ownName;
  const config = readWranglerConfig(path.resolve(dev?.rootPath ?? "", runs));
  // The host has already reported a config that can't be read.
  return isDiagnostic(config) ? undefined : workerNameOf(config.raw, pickEnvironment(env, process.env));
}

/** Known if the config is a generated one. */
function folderOfConfig(options: ParsedWorkerOptions): string | undefined {
  const file = triggersOf([options]).find(({ wranglerConfig }) => wranglerConfig !== undefined)?.wranglerConfig;
  return file === undefined ? undefined : path.dirname(file);
}

/** The folder of the Worker's wrangler config, if an adapter passes it on. */
function placeOf({ dev }: ParsedWorkerOptions, triggers: readonly TriggerOptions[]): string | undefined {
  const folder = triggers.find((trigger) => trigger.folder !== undefined)?.folder;
  return folder === undefined ? undefined : path.resolve(dev?.rootPath ?? "", folder);
}

/** `[]` unless the binding loads this plugin. */
function readTrigger({ dev }: EnvBinding): TriggerOptions[] {
  const name = dev?.plugin?.name;
  if (name === undefined) return [];
  return Object.values(PLUGIN_NAMES).includes(name) ? [dev?.options ?? {}] : [];
}

/** `--env` of wrangler itself, which passes no options on without our own command. It has read the `.env` files by now. */
function argumentOfWrangler(): string | undefined {
  const [, script = "", ...args] = process.argv;
  return WRANGLER.test(script) ? parseDevArgs(args).env : undefined;
}

/** The process that wrangler's launcher starts, which runs Miniflare. */
const WRANGLER = /[\\/]wrangler[\\/]wrangler-dist[\\/]cli\.js$/;
