/**
 * A Miniflare instance with the measured Worker, its VPC bindings from the built package, and the other bindings that
 * lead to the same upstream.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Log, LogLevel, Miniflare, type MiniflareOptions, Request, fetch } from "miniflare";
import { withVpc } from "miniflare-vpc";
import { bundle, COMPATIBILITY } from "../test/clients/bundle.ts";
import { runtimesOf } from "../test/soak/processes.ts";
import { cpuTime } from "./cpu-time.ts";
import type { Jobs } from "./jobs.ts";
import type { BenchUpstream } from "./upstream.ts";

export interface BenchInstance extends AsyncDisposable {
  /** Resolves when the Worker has done it. */
  run<Name extends keyof Jobs>(job: Name, argument: Jobs[Name]): Promise<void>;
  miniflare: Miniflare;
  /** CPU milliseconds of Node and this runtime so far. Undefined where the system doesn't tell. */
  readCpu: (() => number) | undefined;
  /** Of the page that shows the traffic. */
  pageUrl: string | undefined;
}

const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

const STAND_IN = `export default { async fetch(request) {
  const { body, method } = request;
  if (method === "PUT") return new Response(String((await request.arrayBuffer()).byteLength));
  const bytes = Number(new URL(request.url).pathname.slice(1));
  if (bytes > 0) return new Response(new Uint8Array(bytes));
  return Response.json({ id: 1, name: "Ada", city: "London" });
} }`;

/** As little as a `connect` handler can do: dials, takes the caller's first byte when it is connected, and pipes both ways. */
const PIPES = `import { connect } from "cloudflare:sockets";
export default {
  fetch: () => new Response(),
  async connect(inbound) {
    const { localAddress } = await inbound.opened;
    const port = Number(localAddress.slice(localAddress.lastIndexOf(":") + 1));
    const target = connect({ hostname: "127.0.0.1", port }, { allowHalfOpen: true });
    await target.opened;
    const reader = inbound.readable.getReader({ mode: "byob" });
    await reader.read(new Uint8Array(1));
    reader.releaseLock();
    const both = [inbound.readable.pipeTo(target.writable), target.readable.pipeTo(inbound.writable)];
    await Promise.allSettled(both);
  },
};`;

function manifestOf(contents: string): object {
  return { mainModule: "main.js", modules: { "main.js": { type: "esm", contents } } };
}

/** Prints errors, and hears where the page is. */
class PageLog extends Log {
  pageUrl: string | undefined;

  override logWithLevel(level: LogLevel, message: string): void {
    this.pageUrl ??= /Traffic {2}(http:\S+)/.exec(message)?.[1];
    if (level === LogLevel.ERROR) super.logWithLevel(level, message);
  }
}

let manifest: ReturnType<typeof bundle> | undefined;

export interface InstanceOptions {
  /** Whether to print a line for each request. */
  hasTraffic: boolean;
  /** Whether to serve the page that shows the traffic. Default: false. */
  ui?: boolean;
  /** Of another build. Default: of this one. */
  withVpc?: typeof withVpc;
}

export async function startInstance(
  upstream: BenchUpstream,
  { hasTraffic, ui = false, withVpc: add = withVpc }: InstanceOptions,
): Promise<BenchInstance> {
  manifest ??= bundle(path.join(import.meta.dirname, "worker/index.ts"));
  const folder = await mkdtemp(path.join(tmpdir(), "miniflare-vpc-bench-"));
  const ca = path.join(folder, "ca.pem");
  await writeFile(ca, upstream.ca);
  const origin = `http://127.0.0.1:${upstream.http}`;
  const env = {
    NET: { type: "vpc-network", tunnelId: TUNNEL },
    EXTERNAL: { type: "external", address: `127.0.0.1:${upstream.http}`, http: {} },
    EXTERNAL_TLS: {
      type: "external",
      address: `127.0.0.1:${upstream.https}`,
      https: { tlsOptions: { trustedCertificates: [upstream.ca] }, certificateHost: "api.internal" },
    },
    STAND_IN: { type: "worker", worker: "stand-in" },
    PIPES: { type: "worker", worker: "pipes" },
    // The code that people write by hand: it sends every request of a binding to where the service runs.
    NODE: {
      type: "fetcher",
      handler: (request: Request) => {
        const { pathname, search } = new URL(request.url);
        return fetch(`${origin}${pathname}${search}`, new Request(request));
      },
    },
  };
  // An inbound `connect` handler needs the flag.
  const experimental = { ...COMPATIBILITY, compatibilityFlags: ["experimental"] };
  const log = new PageLog(ui ? LogLevel.INFO : LogLevel.ERROR);
  const options = {
    log,
    // Like wrangler, reads what the runtime prints as data.
    handleStructuredLogs: () => {},
    cf: false,
    workers: [
      { config: { name: "bench", ...COMPATIBILITY, manifest: await manifest, env } },
      { config: { name: "stand-in", ...COMPATIBILITY, manifest: manifestOf(STAND_IN) } },
      { config: { name: "pipes", ...experimental, manifest: manifestOf(PIPES) } },
    ],
  } as MiniflareOptions;
  const routes = {
    "api.internal:80": `127.0.0.1:${upstream.http}`,
    "api.internal:443": `127.0.0.1:${upstream.https}`,
    // The port comes with the request, so the target isn't known at the start.
    "*.late.internal": "localhost",
    "worker.internal": "worker:stand-in",
    "function.internal": () => Response.json({ id: 1, name: "Ada", city: "London" }),
    "tcp.internal": "127.0.0.1",
    "db.internal:5432": `127.0.0.1:${upstream.postgres}`,
  };
  const config = { ca: [ca], traffic: hasTraffic, networks: { [TUNNEL]: { routes } } };
  const others = process.platform === "linux" ? new Set(runtimesOf(process.pid)) : undefined;
  const miniflare = new Miniflare(add(options, { config, ...(ui && { ui }) }));
  const url = await miniflare.ready;
  const runtime = others && runtimesOf(process.pid).find((pid) => !others.has(pid));
  return {
    miniflare,
    pageUrl: log.pageUrl,
    readCpu: runtime === undefined ? undefined : () => cpuTime(process.pid) + cpuTime(runtime),
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
