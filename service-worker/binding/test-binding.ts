/**
 * Brings the isolate of a vitest test its door to the service worker, in place of a value of a binding. The Worker under
 * test runs in the same isolate, so the binding is taken out of its `env` before any of its code runs.
 */

// What `env` of "cloudflare:workers" is made of. An internal module can't import that one.
import innerEnv from "cloudflare-internal:env";
import { DOOR_KEY, TEST_BINDING } from "../routing/test-protocol.ts";

/** The inner binding, which the plugin makes. */
interface TestBindingEnv {
  door: unknown;
}

export default function bringDoor({ door }: TestBindingEnv): undefined {
  Object.defineProperty(globalThis, Symbol.for(DOOR_KEY), { value: door, configurable: true });
  // There is no `env` yet.
  queueMicrotask(() => {
    const env = innerEnv.getCurrentEnv();
    if (env !== undefined) Reflect.deleteProperty(env, TEST_BINDING);
  });
  return undefined;
}
