/**
 * One list of HTTP behaviours, seven ways: straight to the server, through the direct path, through it with TLS, through the
 * egress proxy, through it by the route for everything else, through it while a test and the traffic page observe it, and on
 * a lane. What the origin received and what the Worker got back must be identical.
 *
 *   Worker ── external service ─────────────────────────────▶ origin     straight
 *          ── VPC Network ── service worker ── external ────▶ origin     direct, native
 *          ── VPC Network ── service worker ── Node ────────▶ origin     egress
 *          ── VPC Network ── service worker ── external ── Node ─▶ origin     lane
 *
 * The straight path uses an `external` service, because the global `fetch` adds a `CF-Worker` field.
 */

import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connectVpc } from "miniflare-vpc/test/node";
import { PARITY_CASES } from "./cases.ts";
import type { ParityCase, Replacements, Scene, Seen } from "./case.ts";
import { see } from "./see.ts";
import { type Run, transcribe } from "./transcript.ts";
import { type DnsServer, startDnsServer } from "../servers/dns-server.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { GATE, type ObservedOrigin, startObservedOrigin } from "../servers/observed-origin.ts";
import { type Certified, makeAuthority } from "../servers/tls-certificates.ts";
import { watchOrders } from "../setup/orders.ts";
import { type TestWorker, TUNNEL, startTestWorker, type VpcFetcher } from "../setup/test-worker.ts";
import { type Feed, addressIn, get, readFeed } from "../ui/start-shown.ts";

const PATHS = ["straight", "direct", "native", "egress", "rest", "observed"] as const;
type Path = (typeof PATHS)[number];

const folder = mkdtempSync(path.join(os.tmpdir(), "vpc-parity-"));
const ca = path.join(folder, "root.pem");
const root = makeAuthority("Parity");

/** On Windows there are no lanes. */
const COMPARED = [
  "direct",
  "native",
  "egress",
  "rest",
  "observed",
  ...(process.platform === "win32" ? [] : (["lane"] as const)),
] as const;

const ROWS: readonly ParityCase[] = Object.values(PARITY_CASES).flat();

/** One per case and path, so that each begins without connections. */
let origins: Record<Path, readonly ObservedOrigin[]>;
let workers: Record<Exclude<Path, "direct" | "native">, TestWorker>;
/** Only the egress proxy knows this limit. */
const NO_LANE = { connectionLimit: 1000 };
let feed: Feed;
const NET = { type: "vpc-network", tunnelId: TUNNEL };
/** Knows the address of every name. */
let resolver: DnsServer;

beforeAll(async () => {
  process.env["CAROOT"] = path.join(folder, "no-mkcert");
  await writeFile(ca, root.cert);
  const [straight, direct, native, egress, rest, observed] = await Promise.all([
    startOrigins(),
    startOrigins(),
    startOrigins(
      root.issue("origin", { names: ROWS.flatMap((_, index) => [hostOf(index), `other-${hostOf(index)}`]) }),
    ),
    startOrigins(),
    startOrigins(),
    startOrigins(),
  ]);
  origins = { straight, direct, native, egress, rest, observed };
  resolver = await startDnsServer({ A: ["127.0.0.1"] });
  const services = straight.map(({ port }, index) => [
    hostOf(index),
    { type: "external", address: local(port), http: {} },
  ]);
  const toAll = Object.assign({}, ...ROWS.map((_, index) => routesTo(observed, index))) as object;
  const started = await Promise.all([
    start({}, Object.fromEntries(services) as Record<string, object>),
    // The port is known only when the request comes.
    start({ ...NO_LANE, networks: { [TUNNEL]: { routes: { "*.internal": "127.0.0.1" } } } }, { NET }),
    start(
      {
        readTimeout: 60_000,
        networks: { "cf1:network": { resolver_ips: [resolver.address], routes: { "*": "passthrough" } } },
      },
      { NET: { type: "vpc-network", networkId: "cf1:network" } },
    ),
    start({ networks: { [TUNNEL]: { routes: toAll } } }, { NET }, { ui: true }),
  ]);
  workers = {
    straight: started[0],
    egress: started[1],
    rest: started[2],
    observed: started[3],
  };
  await connectVpc(workers.observed.miniflare);
  // The traffic page is open, too.
  const page = addressIn(workers.observed.output());
  await get(page);
  feed = await readFeed(page);
});

afterAll(async () => {
  await feed[Symbol.asyncDispose]();
  await lanes?.worker[Symbol.asyncDispose]();
  for (const { worker } of batches.values()) await worker[Symbol.asyncDispose]();
  await Promise.all(Object.values(workers).map((worker) => worker[Symbol.asyncDispose]()));
  await Promise.all(PATHS.flatMap((path) => origins[path].map((origin) => origin[Symbol.asyncDispose]())));
  await resolver[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** How often to look, in milliseconds, because there are hundreds of cases. */
const AT_ONCE = { interval: 2 };

/** One Worker after another, because each has lanes for a limited number of targets. */
let lanes: { worker: TestWorker; left: number } | undefined;

/** @returns a Worker that has a lane to the port, on which nothing listens any more */
async function prepareLane(host: string): Promise<{ worker: TestWorker; port: number }> {
  if (lanes === undefined || lanes.left === 0) {
    await lanes?.worker[Symbol.asyncDispose]();
    const config = { networks: { [TUNNEL]: { routes: { "*.internal": "127.0.0.1" } } } };
    lanes = { worker: await start(config, { NET }), left: 30 };
  }
  lanes.left--;
  const { worker } = lanes;
  await using origin = await startHttpOrigin("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  const { port } = origin;
  await vi.waitFor(async () => {
    using orders = watchOrders();
    await worker.call("warm", `http://${host}:${port}/`);
    expect(orders.ops).not.toContain("http");
  }, AT_ONCE);
  return { worker, port };
}

/** By path, one Worker after another, because workerd has clients for a limited number of targets. */
const batches = new Map<Path, { worker: TestWorker; rows: Set<ParityCase> }>();
const MAX_ROWS = 30;

async function workerOfBatch(path: "direct" | "native", row: ParityCase): Promise<TestWorker> {
  const last = batches.get(path);
  if (last?.rows.has(row)) return last.worker;
  await last?.worker[Symbol.asyncDispose]();
  const first = ROWS.indexOf(row);
  const rows = ROWS.slice(first, first + MAX_ROWS);
  const routes = Object.assign({}, ...rows.map((_, index) => routesTo(origins[path], first + index))) as object;
  const worker = await start({ ca: [ca], networks: { [TUNNEL]: { routes } } }, { NET });
  batches.set(path, { worker, rows: new Set(rows) });
  return worker;
}

/** Brings a host from the egress proxy to workerd's own client. */
async function graduate(row: ParityCase): Promise<void> {
  const worker = await workerOfBatch("native", row);
  const index = ROWS.indexOf(row);
  const origin = origins.native[index]!;
  await vi.waitFor(async () => {
    await worker.call("warm", `https://${hostOf(index)}:${origin.port}${GATE}`);
    expect(origin.isNative).toBe(true);
  }, AT_ONCE);
}

function startOrigins(certified?: Certified): Promise<ObservedOrigin[]> {
  return Promise.all(ROWS.map(({ answer = ok("a") }) => startObservedOrigin(answer, { certified })));
}

function routesTo(all: readonly ObservedOrigin[], index: number): Record<string, string> {
  const target = local(all[index]!.port);
  return { [hostOf(index)]: target, [`other-${hostOf(index)}`]: target };
}

function local(port: number): string {
  return `127.0.0.1:${port}`;
}

function hostOf(index: number): string {
  return `case-${index}.internal`;
}

// Defined in the prelude, because an operation can't use an import.
declare const rows: ((scene: Scene) => Promise<Seen | Seen[]>)[];
declare const tools: Pick<Scene, "see">;

function start(config: object, env: Record<string, object>, page: { ui?: true } = {}): Promise<TestWorker> {
  return startTestWorker<Record<string, VpcFetcher>>({
    config,
    env,
    ...page,
    prelude: `const tools = { see: ${see.toString()} };\nconst rows = [${ROWS.map(toSource).join(",\n")}];`,
    ops: {
      warm: async (env, url: string) => (await env["NET"]!.fetch(url)).text(),
      run: (env, { index, host, port, scheme }: { index: number; host: string; port: number; scheme: string }) => {
        const binding = (env["NET"] ?? env[host])!;
        // oxlint-disable-next-line unicorn/consistent-function-scoping -- the function's source is what runs
        const toUrl = (path: string): string => (/^[/?]/.test(path) ? `http://HOST${path}` : path);
        return rows[index]!({
          fetch: (path, init) =>
            binding.fetch(toUrl(path).replace("http:", scheme).replace("HOST", `${host}:${port}`), init),
          ...tools,
        });
      },
    },
  });
}

function toSource({ ask = {} }: ParityCase): string {
  if (typeof ask === "function") return ask.toString();
  const fetches = [ask]
    .flat()
    .map(({ path = "/", init = {} }) => `await see(fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}))`);
  return `async ({ fetch, see }) => [${fetches.join(", ")}]`;
}

describe.each(Object.entries(PARITY_CASES))("%s", (group, rows) => {
  describe.each(rows.map((row) => [row.title, row] as const))("%s", (_, row) => {
    let once: Promise<string> | undefined;
    const straight = (): Promise<string> => (once ??= runStraight(row));

    it("straight to the server", async () => {
      expect(await straight()).not.toBe("");
    });

    it.each(COMPARED)("through the %s path", async (path) => {
      const { direct = [], native = direct, egress = [], rest = egress, observed = egress } = row.deviates ?? {};
      const { lane = group === "WebSockets" ? egress : direct } = row.deviates ?? {};
      const expected = replace(await straight(), { direct, native, egress, rest, observed, lane }[path]);
      const run = await (path === "lane" ? runOnLane(row) : runOn(path, row));
      await vi.waitFor(() => expect(transcribe(run)).toBe(expected));
    });
  });
});

/** @returns the transcript that the other paths must match, after checking it against the case */
async function runStraight(row: ParityCase): Promise<string> {
  const { gets = ["200 OK"], notes = 0 } = row;
  const run = await runOn("straight", row);
  await vi.waitFor(() => expect(run.observation.notes).toHaveLength(notes));
  const transcript = transcribe(run);
  const firsts = run.worker.map(([first = ""], index) => first.slice(0, gets[index]?.length));
  expect(firsts).toEqual(gets);
  return transcript;
}

async function runOn(path: Path, row: ParityCase): Promise<Run> {
  if (path === "native") await graduate(row);
  const worker = path === "direct" || path === "native" ? await workerOfBatch(path, row) : workers[path];
  return runWith(worker, row, origins[path][ROWS.indexOf(row)]!);
}

async function runOnLane(row: ParityCase): Promise<Run> {
  const { worker, port } = await prepareLane(hostOf(ROWS.indexOf(row)));
  await using origin = await startObservedOrigin(row.answer ?? ok("a"), { port });
  const run = await runWith(worker, row, origin);
  await vi.waitFor(() => expect(run.observation.notes.length).toBeGreaterThanOrEqual(row.notes ?? 0), AT_ONCE);
  return run;
}

async function runWith(worker: TestWorker, row: ParityCase, { port, observation }: ObservedOrigin): Promise<Run> {
  const index = ROWS.indexOf(row);
  const scheme = worker === batches.get("native")?.worker ? "https:" : "http:";
  const result = await worker.call<Seen | Seen[]>("run", { index, host: hostOf(index), port, scheme });
  const seen = typeof result[0] === "string" ? [result as Seen] : (result as Seen[]);
  return { observation, worker: seen, isUnordered: row.isUnordered };
}

function replace(transcript: string, replacements: Replacements): string {
  return replacements.reduce((text, [straight, instead]) => {
    expect(text, "the text of a declared deviation occurs").toContain(straight);
    return text.replaceAll(straight, () => instead);
  }, transcript);
}
