/**
 * Finds the bindings of a session that wrangler needs a login for: those that always run on Cloudflare's network,
 * those with `"remote": true`, and VPC bindings that a vpc config calls "remote".
 */

import { bindingKey } from "../../service-worker/routing/table.ts";
import { formatLocation } from "../diagnostics.ts";
import { isPlainObject } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import type { DevProject } from "./load-dev-project.ts";
import { activePath, activeSection, type Json, type WranglerConfig } from "../wrangler-config/read-wrangler.ts";

/** Keys of a wrangler config whose bindings are always remote. */
const ALWAYS_REMOTE = new Set("agent_memory ai ai_search ai_search_namespaces analytics k2 media websearch".split(" "));

/** Keys that hold no bindings for `wrangler dev`, or bindings that don't belong to the Worker. */
const OTHERS = new Set<string>(["dev", "env", "previews", "vars", "vpc_services", "vpc_networks"]);

/** @returns a text for each binding, with the place that makes it remote */
export function describeRemote({ workers, remoteBindings }: DevProject, env: string | undefined): string[] {
  return workers.flatMap(({ config, workerName, bindings }) => [
    ...findRemote(config, env, new Set(bindings.map(({ bindingName }) => bindingName))),
    ...bindings
      .filter(({ bindingName }) => remoteBindings.has(bindingKey(workerName, bindingName)))
      .map(({ bindingName }) => `${bindingName} ("remote" in the vpc config)`),
  ]);
}

/** @param ours names of bindings that the vpc config has a word on */
function* findRemote(
  { file, raw, locate }: WranglerConfig,
  env: string | undefined,
  ours: ReadonlySet<string>,
): Generator<string> {
  const at = activePath(raw, env);
  for (const [key, value] of Object.entries(activeSection(raw, env))) {
    if (OTHERS.has(key)) continue;
    for (const { bindingName, isRemote, path } of bindingsIn(value, [...at, key])) {
      if (key === "hyperdrive" && ours.has(bindingName)) continue;
      if (isRemote || ALWAYS_REMOTE.has(key))
        yield `${bindingName} (${formatLocation({ file, ...locate(path, "value") })})`;
    }
  }
}

/** The bindings in `{ "binding": … }`, in a list of these, or one level deeper, as in `queues.producers`. */
function* bindingsIn(value: Json, path: Path): Generator<{ bindingName: string; isRemote: boolean; path: Path }> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* bindingsIn(item, [...path, index]);
  } else if (isPlainObject(value)) {
    const bindingName = value["binding"] ?? value["name"];
    if (typeof bindingName === "string") yield { bindingName, isRemote: value["remote"] === true, path };
    else for (const [key, inner] of Object.entries(value)) yield* bindingsIn(inner, [...path, key]);
  }
}
