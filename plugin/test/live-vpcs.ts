/** What the setup file needs to know of every `vpc` of a test: which there are, and how to ask them. */

import type { Port } from "./port.ts";

/** A `vpc`. */
interface Resettable {
  reset(): Promise<void>;
}

/** Kept on the global, because the setup file is bundled on its own. */
const KEY = Symbol.for("miniflare-vpc.live");

function live(): Map<unknown, { vpc: Resettable; port: Port }> {
  const holder = globalThis as { [KEY]?: ReturnType<typeof live> };
  return (holder[KEY] ??= new Map());
}

/** @returns a function that forgets it */
export function keepLive(vpc: Resettable, port: Port): () => void {
  live().set(vpc, { vpc, port });
  return () => void live().delete(vpc);
}

export function livePortOf(vpc: unknown): Port | undefined {
  return live().get(vpc)?.port;
}

export async function resetLive(): Promise<void> {
  await Promise.all([...live().values()].map(({ vpc }) => vpc.reset()));
}
