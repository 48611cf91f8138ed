/**
 * A Miniflare instance with the Worker under measurement, its VPC bindings by the built package, and beside them what
 * else leads to the same upstream.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Log, LogLevel, Miniflare, type MiniflareOptions, Request, fetch } from "miniflare";
import { withVpc } from "miniflare-vpc";
import { bundle, COMPATIBILITY } from "../test/clients/bundle.ts";
import type { Jobs } from "./jobs.ts";
import type { Upstream } from "./upstream.ts";

export interface Instance extends AsyncDisposable {
  /** Resolves when the Worker has done it. */
  run<Name extends keyof Jobs>(job: Name, argument: Jobs[Name]): Promise<void>;
}

const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

const STAND_IN = `export default { async fetch(request) {
  const { body, method } = request;
  if (method === "PUT") return new Response(String((await request.arrayBuffer()).byteLength));
  const bytes = Number(new URL(request.url).pathname.slice(1));
  if (bytes > 0) return new Response(new Uint8Array(bytes));
  return Response.json({ id: 1, name: "Ada", city: "London" });
} }`;

let manifest: ReturnType<typeof bundle> | undefined;

/** @param hasTraffic whether a line a request is printed */
export async function startInstance(upstream: Upstream, { hasTraffic }: { hasTraffic: boolean }): Promise<Instance> {
  manifest ??= bundle(path.join(import.meta.dirname, "worker/index.ts"));
  const folder = await mkdtemp(path.join(tmpdir(), "miniflare-vpc-bench-"));
  const ca = path.join(folder, "ca.pem");
  await writeFile(ca, upstream.ca);
  const origin = `http://127.0.0.1:${upstream.http}`;
  const env = {
    NET: { type: "vpc-network", tunnelId: TUNNEL },
    EXTERNAL: { type: "external", address: `127.0.0.1:${upstream.http}`, http: {} },
    STAND_IN: { type: "worker", worker: "stand-in" },
    // What people write by hand: every request of a binding sent on to where the service runs.
    NODE: {
      type: "fetcher",
      handler: (request: Request) => {
        const { pathname, search } = new URL(request.url);
        return fetch(`${origin}${pathname}${search}`, new Request(request));
      },
    },
  };
  const stub = { mainModule: "main.js", modules: { "main.js": { type: "esm", contents: STAND_IN } } };
  const options = {
    log: new Log(LogLevel.ERROR),
    // As wrangler does: what the runtime prints is read as data.
    handleStructuredLogs: () => {},
    cf: false,
    workers: [
      { config: { name: "bench", ...COMPATIBILITY, manifest: await manifest, env } },
      { config: { name: "stand-in", ...COMPATIBILITY, manifest: stub } },
    ],
  } as MiniflareOptions;
  const routes = {
    "api.internal:80": `127.0.0.1:${upstream.http}`,
    "api.internal:443": `127.0.0.1:${upstream.https}`,
    // The port comes with the request, so the target is not known before.
    "*.late.internal": "localhost",
    "worker.internal": "worker:stand-in",
    "tcp.internal": "127.0.0.1",
    "db.internal:5432": `127.0.0.1:${upstream.postgres}`,
  };
  const config = { ca: [ca], traffic: hasTraffic, networks: { [TUNNEL]: { routes } } };
  const miniflare = new Miniflare(withVpc(options, { config }));
  const url = await miniflare.ready;
  return {
    async run(job, argument) {
      const response = await fetch(new URL(job, url), { method: "POST", body: JSON.stringify(argument) });
      if (!response.ok) throw new Error(`${job}: ${response.status} ${await response.text()}`);
    },
    async [Symbol.asyncDispose]() {
      await miniflare.dispose();
      await rm(folder, { recursive: true });
    },
  };
}
