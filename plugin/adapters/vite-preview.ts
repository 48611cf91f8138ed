/**
 * `vite preview` runs the Workers that `vite build` wrote. Nothing of ours may be in them, so no binding can load
 * the plugin there. Instead, this file adds the plugin after the built-in plugins of the copy of Miniflare that
 * @cloudflare/vite-plugin has loaded. That copy is used for nothing else.
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Plugin, PluginServicesOptions } from "miniflare";
import { findPackage } from "../miniflare/old-miniflare.ts";
import { isDiagnostic } from "../diagnostics.ts";
import { readWranglerConfig } from "../wrangler-config/read-wrangler.ts";
import { openInstance, plugin } from "../miniflare/plugin.ts";
import { readInstance, type TriggerOptions, triggersOf } from "../miniflare/read-instance.ts";

const ENTRY = "miniflare-vpc";

/** Affects only instances without a trigger. Does nothing if @cloudflare/vite-plugin isn't installed. */
export function servePreview(given: TriggerOptions): void {
  const entries = builtInPlugins(process.cwd());
  if (entries === undefined) return;
  // The config file runs again at each restart of the server.
  const earlier = entries.findIndex(([name]) => name === ENTRY);
  entries.splice(earlier === -1 ? entries.length : earlier, 1, [ENTRY, previewPlugin(given)]);
}

function previewPlugin(given: TriggerOptions): Plugin {
  const served = new WeakSet<PluginServicesOptions["options"]>();
  return {
    getExtensions({ options }) {
      const { workers } = readInstance(options, [given]);
      if (triggersOf(options).length > 0 || workers.every(({ bindings }) => bindings.length === 0)) return [];
      for (const worker of options) served.add(worker);
      return openInstance(options, [{ ...given, ...readBuilt(options, given) }]);
    },
    getBindings: () => [],
    getNodeBindings: () => ({}),
    getServices: (host) => (served.has(host.options) ? plugin.getServices(host) : []),
  };
}

/**
 * Vite's root isn't known here, but the output of `vite build` names the config and the environment that it was built
 * from. The environment counts, whatever CLOUDFLARE_ENV is now.
 */
function readBuilt(
  options: PluginServicesOptions["options"][],
  { env }: TriggerOptions,
): Pick<TriggerOptions, "folder" | "env"> {
  for (const { dev } of options) {
    const file = path.join(dev?.rootPath ?? "", "wrangler.json");
    const built = existsSync(file) ? readWranglerConfig(file) : undefined;
    if (built === undefined || isDiagnostic(built)) continue;
    const { userConfigPath, targetEnvironment } = built.raw;
    // On another machine than the one it was built on, this file may not exist.
    if (typeof userConfigPath === "string" && existsSync(userConfigPath)) {
      const builtFor = typeof targetEnvironment === "string" ? targetEnvironment : "";
      return { folder: path.dirname(userConfigPath), env: env ?? builtFor };
    }
  }
  return {};
}

/** Miniflare's list of plugins with their names, in the order they run. */
function builtInPlugins(folder: string): [name: string, plugin: Plugin][] | undefined {
  const host = findPackage("@cloudflare/vite-plugin", folder);
  if (host === undefined) return undefined;
  const miniflare: { PLUGIN_ENTRIES?: [string, Plugin][] } = createRequire(path.join(host, "index.js"))("miniflare");
  return miniflare.PLUGIN_ENTRIES;
}
