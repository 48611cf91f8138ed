/**
 * `vite preview` makes its Workers of what `vite build` wrote, where nothing of ours may be, so no binding can
 * load the plugin there. Instead it goes behind the built-in plugins of the very Miniflare that
 * @cloudflare/vite-plugin has loaded; that copy is looked up, and used for nothing else.
 */

import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Plugin, PluginServicesOptions } from "miniflare";
import { oldMiniflareIn } from "./old-miniflare.ts";
import { isDiagnostic } from "./diagnostics.ts";
import { readWranglerConfig } from "./dev/read-wrangler.ts";
import { openInstance, plugin } from "./plugin.ts";
import { readInstance, type TriggerOptions, triggersOf } from "./read-instance.ts";

const ENTRY = "miniflare-vpc";

/**
 * Takes effect in instances that no trigger reaches. Does nothing where @cloudflare/vite-plugin is not installed.
 *
 * @throws {Error} in words, when that carries a Miniflare that can't load the plugin
 */
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
      return openInstance(options, [{ ...given, ...placeOfUserConfig(options) }]);
    },
    getBindings: () => [],
    getNodeBindings: () => ({}),
    getServices: (host) => (served.has(host.options) ? plugin.getServices(host) : []),
  };
}

/** Vite's root can't be known here, but what `vite build` wrote names the config that it read. */
function placeOfUserConfig(options: PluginServicesOptions["options"][]): Pick<TriggerOptions, "folder"> {
  for (const { dev } of options) {
    const file = path.join(dev?.rootPath ?? "", "wrangler.json");
    const built = existsSync(file) ? readWranglerConfig(file) : undefined;
    if (built === undefined || isDiagnostic(built)) continue;
    const { userConfigPath } = built.raw;
    // Elsewhere than it was built there is none.
    if (typeof userConfigPath === "string" && existsSync(userConfigPath))
      return { folder: path.dirname(userConfigPath) };
  }
  return {};
}

/** Miniflare's list of plugins by name, in the order they run. */
function builtInPlugins(folder: string): [name: string, plugin: Plugin][] | undefined {
  const modules = createRequire(path.join(folder, "vite.config.js")).resolve.paths("@cloudflare/vite-plugin") ?? [];
  // Its `exports` leave out both package.json and anything for `require`.
  const installed = modules.map((each) => path.join(each, "@cloudflare/vite-plugin")).find((each) => existsSync(each));
  if (installed === undefined) return undefined;
  const host = realpathSync(installed);
  const old = oldMiniflareIn(host);
  if (old !== undefined) throw new Error(old);
  const miniflare: { PLUGIN_ENTRIES?: [string, Plugin][] } = createRequire(path.join(host, "index.js"))("miniflare");
  return miniflare.PLUGIN_ENTRIES;
}
