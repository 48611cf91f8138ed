/**
 * A Worker under test. Its operations are functions that run in workerd with VPC bindings of the built package. Records
 * what a developer would see in the terminal.
 */

import { Log, LogLevel, Miniflare, type MiniflareOptions } from "miniflare";
import { withVpc } from "miniflare-vpc";
import type { VpcConfig } from "../../plugin/config.ts";

export const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";
export const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";

/** A VPC binding, as an operation sees it in workerd. */
export interface VpcFetcher {
  fetch(input: string | URL | Request, init?: RequestInit & { cf?: object }): Promise<WorkerResponse>;
  connect(address: string | { hostname: string; port: number }, options?: object): Promise<VpcSocket> & VpcSocket;
}

/** The tests that read `body` or `webSocket` expect one. */
export type WorkerResponse = Response & {
  body: ReadableStream<Uint8Array>;
  webSocket: WebSocket & { accept(): void };
};

export interface VpcSocket {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<Uint8Array>;
  opened: Promise<{ remoteAddress?: string; localAddress?: string }>;
  closed: Promise<void>;
  close(): Promise<void>;
}

/** The bindings of a Worker that has no `env` of its own. */
export type TestEnv = Record<"API" | "NET", VpcFetcher>;

export interface DurableObjects<Stub> {
  idFromName(name: string): object;
  get(id: object): Stub;
}

/** Its argument is what `call` passes as JSON. */
export type Operation<Env = TestEnv> = (env: Env, argument: never, request: Request) => unknown;

export interface TestWorkerOptions<Env = TestEnv> {
  config: VpcConfig | string;
  /** Whether it has the page that shows its traffic. */
  ui?: boolean | { port: number };
  /** Functions that are self-contained, because their source runs in workerd. */
  ops: Record<string, Operation<Env>>;
  /** Default: `API`, a VPC Service, and `NET`, a VPC Network. */
  env?: Record<string, object>;
  compatibilityDate?: string;
  compatibilityFlags?: string[];
  /** Source before the operations, such as exported classes. */
  prelude?: string;
  /** Statements at the start of the fetch handler, which may use `request`, `env` and `ctx`. */
  first?: string;
  /** Worker handlers besides fetch, as source of object members. */
  handlers?: string;
  /** Further Workers of the session. */
  workers?: MiniflareOptions["workers"];
  exports?: Record<string, object>;
}

export interface TestWorker extends AsyncDisposable {
  /** Runs an operation. @throws {WorkerError} if the operation throws */
  call<Result = unknown>(op: string, argument?: unknown): Promise<Result>;
  /** All lines of the terminal so far. */
  output(): string;
  /** Reloads with the same options, as after an edit of the wrangler config. */
  reload(): Promise<void>;
  miniflare: Miniflare;
}

/** An operation's error, as the Worker saw it. */
export class WorkerError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

class KeptLog extends Log {
  readonly #lines: string[];

  constructor(lines: string[]) {
    super(LogLevel.INFO);
    this.#lines = lines;
  }

  protected override log(message: string): void {
    this.#lines.push(message);
  }
}

/** @returns the source of an object member. The source of a method already is one */
function toMember(name: string, source: string): string {
  return /^(async\s*)?(\(|[\w$]+\s*=>)/.test(source) ? `${JSON.stringify(name)}: ${source}` : source;
}

export async function startTestWorker<Env = TestEnv>(options: TestWorkerOptions<Env>): Promise<TestWorker> {
  const lines: string[] = [];
  const ops = Object.entries(options.ops).map(([name, op]) => toMember(name, op.toString()));
  const contents = `
${options.prelude ?? ""}
const ops = {${ops.join(",\n")}};
export default {
  async fetch(request, env, ctx) {
    ${options.first ?? ""}
    const url = new URL(request.url);
    try {
      const argument = url.searchParams.has("argument") ? JSON.parse(url.searchParams.get("argument")) : undefined;
      return Response.json({ result: await ops[url.searchParams.get("op")](env, argument, request) });
    } catch (error) {
      return Response.json({ error: { name: error?.name, message: error?.message ?? String(error) } });
    }
  },
  ${options.handlers ?? ""}
};`;
  const instance = {
    log: new KeptLog(lines),
    handleStructuredLogs: ({ message }: { message: string }) => void lines.push(message),
    workers: [
      {
        config: {
          name: "app",
          compatibilityDate: options.compatibilityDate ?? "2026-11-01",
          compatibilityFlags: options.compatibilityFlags ?? [],
          manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm", contents } } },
          env: options.env ?? {
            API: { type: "vpc-service", id: SERVICE },
            NET: { type: "vpc-network", tunnelId: TUNNEL },
          },
          ...(options.exports && { exports: options.exports }),
        },
      },
      ...(options.workers ?? []),
    ],
  } as MiniflareOptions;
  const vpc = { config: options.config, ...(options.ui !== undefined && { ui: options.ui }) };
  const miniflare = new Miniflare(withVpc(instance, vpc));
  const reload = (): Promise<void> => miniflare.setOptions(withVpc(instance, vpc));
  await miniflare.ready;
  return {
    miniflare,
    reload,
    output: () => lines.join("\n"),
    async call<Result>(op: string, argument?: unknown) {
      const url = new URL("http://app/");
      url.searchParams.set("op", op);
      if (argument !== undefined) url.searchParams.set("argument", JSON.stringify(argument));
      const response = await miniflare.dispatchFetch(url.href);
      const answer = (await response.json()) as { result: Result; error?: { name: string; message: string } };
      if (answer.error !== undefined) throw new WorkerError(answer.error.name, answer.error.message);
      return answer.result;
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  };
}
