/** Miniflare instances for tests, which end with their scope. */

import { Miniflare, type MiniflareOptions } from "miniflare";

/** For `await using`: the instance is disposed when the scope ends. */
export function startMiniflare(options: MiniflareOptions): Miniflare & AsyncDisposable {
  const miniflare = new Miniflare(options);
  return Object.assign(miniflare, { [Symbol.asyncDispose]: () => miniflare.dispose() });
}

/** A Worker with modules, of which `main` is the main one. */
export function manifest(main: string, others: Record<string, string> = {}): Manifest {
  const modules = Object.entries({ "main.mjs": main, ...others });
  return {
    mainModule: "main.mjs",
    modules: Object.fromEntries(modules.map(([name, contents]) => [name, { type: "esm", contents }])),
  };
}

type Manifest = NonNullable<MiniflareOptions["workers"][number]["config"]["manifest"]>;
