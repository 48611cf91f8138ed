/**
 * Makes the binding that Node gets from `getPlatformProxy`: Miniflare's own proxy, with a `fetch()` that returns Node's
 * `Response`, because frameworks refuse any other as the result of a route.
 */

import { createRequire } from "node:module";
import { getCallSites } from "node:util";
import { fetchInNode } from "./node-fetch.ts";

interface ProxyClass {
  new (override: ProxyHandler<object>): object;
}

/**
 * Call it only from `getNodeBindings`, because the call stack shows which copy of Miniflare asks.
 *
 * @returns no bindings if that Miniflare was loaded in a way that hides its classes; its own proxies then stay
 */
export function makeNodeBindings(names: readonly string[]): Record<string, object> {
  const ProxyNodeBinding = names.length === 0 ? undefined : findProxyClass();
  if (ProxyNodeBinding === undefined) return {};
  return Object.fromEntries(names.map((name) => [name, new ProxyNodeBinding({ get })]));
}

function findProxyClass(): ProxyClass | undefined {
  const { cache } = createRequire(import.meta.url);
  for (const { scriptName } of getCallSites()) {
    const exported = cache[scriptName]?.exports as { ProxyNodeBinding?: ProxyClass } | undefined;
    if (exported?.ProxyNodeBinding !== undefined) return exported.ProxyNodeBinding;
  }
  return undefined;
}

function get(proxy: object, key: PropertyKey): unknown {
  const value: unknown = Reflect.get(proxy, key);
  if (key !== "fetch" || typeof value !== "function") return value;
  return async (...args: Parameters<typeof fetchInNode>[1]) => await fetchInNode(value.bind(proxy), args);
}
