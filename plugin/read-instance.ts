/**
 * What the plugin needs to know of a Miniflare instance: its Workers, their VPC bindings, and the
 * options a trigger carries. Reads Miniflare's parsed options; changes nothing.
 */

import path from "node:path";
import type { PluginServicesOptions } from "miniflare";
import { keptConfig } from "./kept-configs.ts";
import type { ConfigSource } from "./load.ts";
import type { SessionWorker, VpcBinding } from "./model.ts";
import { oldMiniflare } from "./old-miniflare.ts";
import { isTable } from "./read/document.ts";

type ParsedWorkerOptions = PluginServicesOptions["options"];

/** What of a parsed binding matters here. */
interface EnvBinding {
  type: string;
  id?: string;
  tunnelId?: string;
  networkId?: string;
  dev?: { plugin?: { name?: string }; options?: TriggerOptions };
}

/** Options of a binding that loads the plugin: a trigger, or one binding of the generated config. */
export interface TriggerOptions {
  /** The vpc config: a path, or the object itself. Absent: the file beside each wrangler config. */
  config?: ConfigSource;
  /** Of an object that was passed to a host which carries JSON only. */
  configId?: string;
  /** Where the wrangler config lies, for hosts that don't tell; relative to the Worker's `rootPath`. */
  folder?: string;
  /** wrangler's `--env`, for `worker:NAME`. */
  env?: string;
  bindingType?: VpcBinding["bindingType"];
  id?: string;
  /** The config a generated one stands for; wrangler's `rootPath` is the first config's folder for all. */
  wranglerConfig?: string;
}

export interface Instance {
  workers: InstanceWorker[];
  source: ConfigSource;
  env: string | undefined;
  /** The configs are generated ones (`miniflare-vpc dev`), which change when an entry becomes "remote". */
  isGenerated: boolean;
}

export interface InstanceWorker extends SessionWorker {
  bindings: InstanceBinding[];
  hasAssets: boolean;
  /** Not in module format: can't hold a wrapped binding. */
  isServiceWorkerFormat: boolean;
}

interface InstanceBinding extends VpcBinding {
  /** Comes from the generated config and is ours to emit. */
  isOurs: boolean;
}

/**
 * @param given in place of a trigger, where none can be had
 * @throws {Error} when the Miniflare is none of those this package is written for
 */
export function readInstance(options: readonly ParsedWorkerOptions[], given: readonly TriggerOptions[] = []): Instance {
  if (options.some((worker) => !isTable(worker.config))) throw new Error(oldMiniflare("this Miniflare"));
  const triggers = [...triggersOf(options), ...given];
  const isGenerated = triggers.some((trigger) => trigger.wranglerConfig !== undefined);
  const workers = options.map((worker) => readWorker(worker, triggers));
  const { config, configId } = triggers.find((one) => (one.config ?? one.configId) !== undefined) ?? {};
  return {
    // A generated config keeps those bindings as they are that are left to wrangler.
    workers: isGenerated ? workers.map(withOursOnly) : workers,
    source: config ?? (configId === undefined ? undefined : keptConfig(configId)),
    env: triggers.find((trigger) => trigger.env !== undefined)?.env ?? environmentOfWrangler(),
    isGenerated,
  };
}

/** All that load this plugin. */
export function triggersOf(options: readonly ParsedWorkerOptions[]): TriggerOptions[] {
  return options.flatMap((worker) => Object.values(envOf(worker)).flatMap(readTrigger));
}

function withOursOnly(worker: InstanceWorker): InstanceWorker {
  return { ...worker, bindings: worker.bindings.filter((binding) => binding.isOurs) };
}

function readWorker(options: ParsedWorkerOptions, triggers: readonly TriggerOptions[]): InstanceWorker {
  return {
    workerName: options.config.name,
    rootPath: folderOfConfig(options) ?? placeOf(options, triggers) ?? options.dev?.rootPath,
    hasAssets: options.config.assets !== undefined,
    isServiceWorkerFormat: options.legacy?.serviceWorkerScript !== undefined,
    bindings: Object.entries(envOf(options)).flatMap(([bindingName, binding]): InstanceBinding[] => {
      switch (binding.type) {
        case "vpc-service":
          return [{ bindingName, bindingType: "vpc-service", id: binding.id ?? "", isOurs: false }];
        case "vpc-network":
          return [
            { bindingName, bindingType: "vpc-network", id: binding.tunnelId ?? binding.networkId ?? "", isOurs: false },
          ];
        default:
          return readTrigger(binding).flatMap(({ bindingType, id }) =>
            bindingType === undefined || id === undefined ? [] : [{ bindingName, bindingType, id, isOurs: true }],
          );
      }
    }),
  };
}

function envOf(worker: ParsedWorkerOptions): Record<string, EnvBinding> {
  return (worker.config.env ?? {}) as Record<string, EnvBinding>;
}

/** Known where the config is a generated one. */
function folderOfConfig(options: ParsedWorkerOptions): string | undefined {
  const triggers = Object.values(envOf(options)).flatMap(readTrigger);
  const file = triggers.find(({ wranglerConfig }) => wranglerConfig !== undefined)?.wranglerConfig;
  return file === undefined ? undefined : path.dirname(file);
}

/** Where an adapter says that the Worker's wrangler config lies. */
function placeOf({ dev }: ParsedWorkerOptions, triggers: readonly TriggerOptions[]): string | undefined {
  const folder = triggers.find((trigger) => trigger.folder !== undefined)?.folder;
  return folder === undefined ? undefined : path.resolve(dev?.rootPath ?? "", folder);
}

/** `[]` unless the binding loads this plugin. */
function readTrigger({ dev }: EnvBinding): TriggerOptions[] {
  const name = dev?.plugin?.name;
  return name === "VPC Service" || name === "VPC Network" ? [dev?.options ?? {}] : [];
}

/** The form with wrangler alone passes no options: what wrangler itself was started with counts. */
function environmentOfWrangler(): string | undefined {
  const [, script = "", ...args] = process.argv;
  if (!/[\\/](cf-)?wrangler/.test(script)) return process.env["CLOUDFLARE_ENV"];
  const flag = args.findIndex((arg) => arg === "--env" || arg === "-e");
  const joined = args.find((arg) => arg.startsWith("--env=") || arg.startsWith("-e="));
  return (flag === -1 ? joined?.slice(joined.indexOf("=") + 1) : args[flag + 1]) ?? process.env["CLOUDFLARE_ENV"];
}
