/**
 * Makes the bindings that Node gets from `getPlatformProxy` and `mf.getBindings()`: Miniflare's own proxy, with a
 * `connect()` that gives a socket of Node, or rejects. Under `getPlatformProxy`, `fetch()` returns Node's `Response`,
 * because frameworks refuse any other as the result of a route.
 */

import { createRequire } from "node:module";
import { getCallSites } from "node:util";
import { connectInNode } from "./node-connect.ts";
import { type ProxyFetch, fetchInNode } from "./node-fetch.ts";

interface ProxyClass {
  new (override: ProxyHandler<object>): object;
}

export interface BindingForNode {
  bindingName: string;
  /** Whose `Response` its `fetch()` gives. */
  response: "Node's" | "Miniflare's";
}

/**
 * Call it only from `getNodeBindings`, because the call stack shows which copy of Miniflare asks.
 *
 * @returns no bindings if that Miniflare was loaded in a way that hides its classes; its own proxies then stay
 */
export function makeNodeBindings(bindings: readonly BindingForNode[]): Record<string, object> {
  const ProxyNodeBinding = bindings.length === 0 ? undefined : findProxyClass();
  if (ProxyNodeBinding === undefined) return {};
  return Object.fromEntries(
    bindings.map((binding) => [binding.bindingName, new ProxyNodeBinding({ get: getterOf(binding) })]),
  );
}

function findProxyClass(): ProxyClass | undefined {
  const { cache } = createRequire(import.meta.url);
  for (const { scriptName } of getCallSites()) {
    const exported = cache[scriptName]?.exports as { ProxyNodeBinding?: ProxyClass } | undefined;
    if (exported?.ProxyNodeBinding !== undefined) return exported.ProxyNodeBinding;
  }
  return undefined;
}

function getterOf({ response }: BindingForNode): (proxy: object, key: PropertyKey) => unknown {
  return (proxy, key) => {
    const fetchOfProxy: ProxyFetch = (...args) => (Reflect.get(proxy, "fetch") as ProxyFetch).apply(proxy, args);
    if (key === "connect") return (...args: Parameters<typeof connectInNode>[1]) => connectInNode(fetchOfProxy, args);
    if (key !== "fetch" || response === "Miniflare's") return Reflect.get(proxy, key);
    return async (...args: Parameters<typeof fetchInNode>[1]) => await fetchInNode(fetchOfProxy, args);
  };
}
