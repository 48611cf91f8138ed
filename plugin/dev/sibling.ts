/**
 * The generated config beside a user's wrangler config: equal to it, except that its VPC bindings
 * are handed to our plugin. Pure rewriting; reads and writes nothing.
 */

import { isProblem } from "../../service-worker/address.ts";
import type { VpcBinding } from "../model.ts";
import { isTable } from "../read/document.ts";
import {
  activeSection,
  type Json,
  type JsonObject,
  VPC_KEYS,
  parseVpcEntry,
  type WranglerConfig,
} from "./read-wrangler.ts";

/** In the same folder, so that relative paths, `.dev.vars` and `$schema` keep their meaning. */
export function siblingName(pid: number, position: number): string {
  return `.wrangler-vpc-${pid}-${position}.json`;
}

/** Where a sibling is written before it takes its place, since wrangler must never read half a file. */
export function unfinished(file: string): string {
  return `${file}.new`;
}

/** For `.git/info/exclude`: siblings, and unfinished ones. */
export const SIBLING_PATTERN = ".wrangler-vpc-*";

/** @returns the id of the process that wrote the file; undefined when it is no sibling, finished or not */
export function siblingPid(fileName: string): number | undefined {
  const pid = /^\.wrangler-vpc-(\d+)-\d+\.json(?:\.new)?$/.exec(fileName)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

export interface SiblingOptions {
  /** Absolute path of the module that exports our Miniflare plugins. */
  pluginPackage: string;
  /** The environment wrangler takes. */
  env: string | undefined;
  /** The config the user wrote; another file than the one rewritten when a build tool made that. */
  userFile: string;
  /** Whether the vpc config leaves this binding to wrangler's own remote bindings. */
  isRemote: (bindingName: string) => boolean;
  /** Names a vpc config other than the one beside the user's file. */
  loaderOptions?: JsonObject;
}

/** Of wrangler's `unsafe.bindings`. */
export interface UnsafeBinding extends JsonObject {
  name: string;
  type: string;
  dev: { plugin: { package: string; name: string }; options: JsonObject };
}

/** What wrangler itself writes into a config that it is redirected to; unknown in any other. */
const REDIRECT_KEYS = ["configPath", "definedEnvironments", "targetEnvironment", "topLevelName", "userConfigPath"];

/** @returns the sibling's content, as text */
export function writeSibling(config: Pick<WranglerConfig, "file" | "raw">, options: SiblingOptions): string {
  const { raw } = config;
  const { env } = options;
  const sibling: JsonObject = { ...raw };
  if (options.userFile !== config.file) for (const key of REDIRECT_KEYS) delete sibling[key];
  // Types made from the sibling would call a VPC binding `any`.
  if (generatesTypes(raw)) sibling["dev"] = { ...(isTable(raw["dev"]) ? raw["dev"] : {}), generate_types: false };

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

  // The top level only serves wrangler to tell which bindings the environment lacks; it lacks none of ours.
  const isOthers = (bindingName: string): boolean => !local.some((binding) => binding.bindingName === bindingName);
  return toText(withEnvironment({ ...sibling, ...splitEntries(raw, isOthers).kept }, env, { ...active, ...replaced }));
}

function toText(sibling: JsonObject): string {
  return `${JSON.stringify(sibling, undefined, 2)}\n`;
}

/** Whether wrangler is asked to write types from the config while it runs. */
export function generatesTypes(raw: JsonObject): boolean {
  return isTable(raw["dev"]) && raw["dev"]["generate_types"] === true;
}

/**
 * For hosts whose own VPC bindings are taken over in place.
 *
 * @returns the config with one more of `services` in the part that holds the bindings, as text
 */
export function writeWithService({ raw }: Pick<WranglerConfig, "raw">, env: string | undefined, service: Json): string {
  const active = activeSection(raw, env);
  const services = [...(Array.isArray(active["services"]) ? active["services"] : []), service];
  // Said outright, lest wrangler warn that these bindings are remote.
  const remote = VPC_KEYS.map((key) => [key, Array.isArray(active[key]) ? active[key].map(asRemote) : []] as const);
  const added: JsonObject = { ...active, ...Object.fromEntries(remote), services };
  const whole = active === raw || env === undefined ? added : withEnvironment(raw, env, added);
  for (const key of REDIRECT_KEYS) delete whole[key];
  return toText(whole);
}

function asRemote(entry: Json): Json {
  return isTable(entry) ? { ...entry, remote: entry["remote"] ?? true } : entry;
}

function withEnvironment(raw: JsonObject, env: string, section: JsonObject): JsonObject {
  return { ...raw, env: { ...(isTable(raw["env"]) ? raw["env"] : {}), [env]: section } };
}

/** The VPC bindings of a section to take over, and its lists without them; a list may be left empty. */
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
      if (isProblem(binding) || isKept(binding.bindingName)) return true;
      local.push(binding);
      return false;
    });
  }
  return { kept, local };
}

/** A section's `unsafe` with our bindings behind those it holds. */
function withBindings(unsafe: Json | undefined, ours: readonly Json[]): Json {
  const settings = isTable(unsafe) ? unsafe : {};
  const existing = Array.isArray(settings["bindings"]) ? settings["bindings"] : [];
  return { ...settings, bindings: [...existing, ...ours] };
}

/** The entry that stands for a VPC binding. */
export function unsafeBinding(binding: VpcBinding, options: Omit<SiblingOptions, "isRemote">): UnsafeBinding {
  const { bindingName, bindingType, id } = binding;
  return {
    name: bindingName,
    // wrangler's table shows it behind the binding's name.
    type: id,
    dev: {
      plugin: {
        package: options.pluginPackage,
        name: bindingType === "vpc-service" ? "VPC Service" : "VPC Network",
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
