/**
 * Makes the config that is generated beside a user's wrangler config. It is the same config, except that our
 * plugin serves its VPC bindings. Pure rewriting; reads and writes no files.
 */

import { isProblem } from "../../service-worker/routing/address.ts";
import type { VpcBinding } from "../model.ts";
import { isPlainObject } from "../read/document.ts";
import { PLUGIN_NAMES } from "./plugin-names.ts";
import {
  activeSection,
  type Json,
  type JsonObject,
  VPC_KEYS,
  parseVpcEntry,
  workerNameOf,
  type WranglerConfig,
} from "./read-wrangler.ts";

/** In the same folder, so that relative paths, `.dev.vars` and `$schema` keep their meaning. */
export function siblingName(pid: number, position: number): string {
  return `.wrangler-vpc-${pid}-${position}.json`;
}

/** The temporary name that a sibling is written under, so that wrangler never reads half a file. */
export function unfinished(file: string): string {
  return `${file}.new`;
}

/** For `.git/info/exclude`: siblings, including unfinished ones. */
export const SIBLING_PATTERN = ".wrangler-vpc-*";

/** @returns the id of the process that wrote the file; undefined if it is neither a sibling nor an unfinished one */
export function siblingPid(fileName: string): number | undefined {
  const pid = /^\.wrangler-vpc-(\d+)-\d+\.json(?:\.new)?$/.exec(fileName)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

export interface SiblingOptions {
  /** Absolute path of the module that exports our Miniflare plugins. */
  pluginPackage: string;
  /** The environment that wrangler uses. */
  env: string | undefined;
  /** The config that the user wrote. It differs from the rewritten one if a build tool made that. */
  userFile: string;
  /** Whether the vpc config leaves this binding to wrangler's remote bindings. */
  isRemote: (bindingName: string) => boolean;
  /** Names a vpc config, if it isn't the one beside the user's file. */
  loaderOptions?: JsonObject;
}

/** An entry of wrangler's `unsafe.bindings`. */
export interface UnsafeBinding extends JsonObject {
  name: string;
  type: string;
  dev: { plugin: { package: string; name: string }; options: JsonObject };
}

/** Keys that wrangler writes into a config that it is redirected to. They are unknown in any other config. */
const REDIRECT_KEYS = ["configPath", "definedEnvironments", "targetEnvironment", "topLevelName", "userConfigPath"];

/** @returns the sibling's content, as text */
export function writeSibling(config: Pick<WranglerConfig, "file" | "raw">, options: SiblingOptions): string {
  const { raw } = config;
  const { env } = options;
  const sibling: JsonObject = { ...raw };
  if (options.userFile !== config.file) for (const key of REDIRECT_KEYS) delete sibling[key];
  // Types from the sibling would declare a VPC binding as `any`.
  if (generatesTypes(raw)) sibling["dev"] = { ...(isPlainObject(raw["dev"]) ? raw["dev"] : {}), generate_types: false };

  const active = activeSection(raw, env);
  const { kept, local } = splitEntries(active, options.isRemote);
  const replaced: JsonObject =
    local.length === 0
      ? kept
      : {
          ...kept,
          unsafe: withBindings(
            active["unsafe"],
            local.map((binding) => unsafeBinding(binding, options)),
          ),
        };
  if (active === raw || env === undefined) return toText({ ...sibling, ...replaced });

  // wrangler uses the top level only to report bindings that the environment lacks. It has all of ours.
  const isOthers = (bindingName: string): boolean => !local.some((binding) => binding.bindingName === bindingName);
  return toText(withEnvironment({ ...sibling, ...splitEntries(raw, isOthers).kept }, env, { ...active, ...replaced }));
}

function toText(sibling: JsonObject): string {
  return `${JSON.stringify(sibling, undefined, 2)}\n`;
}

/** Whether the config asks wrangler to write types while it runs. */
export function generatesTypes(raw: JsonObject): boolean {
  return isPlainObject(raw["dev"]) && raw["dev"]["generate_types"] === true;
}

/** What the config for `getPlatformProxy` adds to the user's config. */
export interface NodeSibling {
  env: string | undefined;
  /** Makes the service that loads the plugin. @param standIns the VPC bindings that a service replaces */
  trigger(standIns: readonly VpcBinding[]): Json;
  /** Whether the user asked for wrangler's remote bindings. */
  isRemote: boolean;
}

/**
 * For `getPlatformProxy`. Some hosts only pass the path of the config, so nothing in it may be remote. A plain
 * service replaces each VPC binding, and the plugin takes over that service in place.
 *
 * @returns the config's content, as text
 */
export function writeNodeSibling({ raw }: Pick<WranglerConfig, "raw">, options: NodeSibling): string {
  const { env, isRemote } = options;
  const active = activeSection(raw, env);
  const { kept, local } = isRemote ? { kept: saidRemote(active), local: [] } : splitEntries(active, () => false);
  // The service of the Worker itself, because only this Worker is sure to exist.
  const service = workerNameOf(raw, env) ?? "miniflare-vpc";
  const standIns = local.map(({ bindingName }): Json => ({ binding: bindingName, service }));
  const own = isRemote ? active : withoutRemote(active);
  const services = [...(Array.isArray(own["services"]) ? own["services"] : []), ...standIns, options.trigger(local)];
  const added: JsonObject = { ...own, ...kept, services };
  const isOthers = (bindingName: string): boolean => !local.some((binding) => binding.bindingName === bindingName);
  const whole =
    active === raw || env === undefined
      ? added
      : withEnvironment({ ...raw, ...splitEntries(raw, isOthers).kept }, env, added);
  for (const key of REDIRECT_KEYS) delete whole[key];
  return toText(whole);
}

/** The VPC entries, each marked as remote, so that wrangler doesn't warn about it. */
function saidRemote(section: JsonObject): JsonObject {
  return Object.fromEntries(
    VPC_KEYS.map((key) => [key, Array.isArray(section[key]) ? section[key].map(asRemote) : []]),
  );
}

function asRemote(entry: Json): Json {
  return isPlainObject(entry) ? { ...entry, remote: entry["remote"] ?? true } : entry;
}

/** Keys whose values belong to the user. */
const OWN_VALUES = new Set(["vars", "define", "alias", "unsafe"]);

/** The section without the `remote: true` of its bindings. Bindings that only exist remotely stay unchanged. */
function withoutRemote(section: JsonObject): JsonObject {
  const entries = Object.entries(section);
  return Object.fromEntries(entries.map(([key, value]) => [key, OWN_VALUES.has(key) ? value : dropRemote(value)]));
}

function dropRemote(value: Json): Json {
  if (Array.isArray(value)) return value.map(dropRemote);
  if (!isPlainObject(value)) return value;
  // No list of bindings is nested deeper than that of queues: `queues.producers[]`.
  const entries = Object.entries(value).map(([key, inner]) => [key, Array.isArray(inner) ? dropRemote(inner) : inner]);
  const { remote, ...rest }: JsonObject = Object.fromEntries(entries);
  return remote === undefined || remote === true ? rest : { ...rest, remote };
}

function withEnvironment(raw: JsonObject, env: string, section: JsonObject): JsonObject {
  return { ...raw, env: { ...(isPlainObject(raw["env"]) ? raw["env"] : {}), [env]: section } };
}

/** The VPC bindings of a section to take over, and its lists without them. A list may end up empty. */
function splitEntries(
  section: JsonObject,
  isKept: (bindingName: string) => boolean,
): { kept: JsonObject; local: VpcBinding[] } {
  const kept: JsonObject = {};
  const local: VpcBinding[] = [];
  for (const key of VPC_KEYS) {
    const entries = section[key];
    if (!Array.isArray(entries)) continue;
    kept[key] = entries.filter((entry) => {
      const binding = parseVpcEntry(key, entry);
      if (isProblem(binding) || binding.ownString !== undefined || isKept(binding.bindingName)) return true;
      local.push(binding);
      return false;
    });
  }
  return { kept, local };
}

/** A section's `unsafe` with our bindings after its own. */
function withBindings(unsafe: Json | undefined, ours: readonly Json[]): Json {
  const settings = isPlainObject(unsafe) ? unsafe : {};
  const existing = Array.isArray(settings["bindings"]) ? settings["bindings"] : [];
  return { ...settings, bindings: [...existing, ...ours] };
}

/** The entry that replaces a VPC binding. */
export function unsafeBinding(binding: VpcBinding, options: Omit<SiblingOptions, "isRemote">): UnsafeBinding {
  const { bindingName, bindingType, id } = binding;
  return {
    name: bindingName,
    // wrangler's table shows it after the binding's name.
    type: id,
    dev: {
      plugin: {
        package: options.pluginPackage,
        name: PLUGIN_NAMES[bindingType],
      },
      options: {
        ...options.loaderOptions,
        bindingType,
        id,
        ...(options.env === undefined ? {} : { env: options.env }),
        wranglerConfig: options.userFile,
      },
    },
  };
}
