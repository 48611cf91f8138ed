/**
 * A Worker under test: operations written as functions, run inside workerd on VPC bindings of the
 * built package, with everything a developer would see in the terminal kept for inspection.
 */

import { Log, LogLevel, Miniflare, type MiniflareOptions } from "miniflare";
import { withVpc } from "miniflare-vpc";
import type { VpcConfig } from "../plugin/config.ts";

export const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";
export const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";

// oxlint-disable-next-line typescript/no-explicit-any -- each test knows the bindings its operation uses
export type Operation = (env: any, argument: any, request: any) => unknown;

export interface SessionOptions {
  config: VpcConfig | string;
  /** Self-contained functions: their source runs in workerd. */
  ops: Record<string, Operation>;
  /** Default: `API`, a VPC Service, and `NET`, a VPC Network. */
  env?: Record<string, object>;
  compatibilityDate?: string;
  compatibilityFlags?: string[];
  /** Source that goes before the operations: classes the Worker exports, say. */
  prelude?: string;
  /** Statements in front of the fetch handler's own, with `request`, `env` and `ctx` in reach. */
  first?: string;
  /** Worker handlers besides fetch, as source of object members. */
  handlers?: string;
  /** Further Workers of the session. */
  workers?: MiniflareOptions["workers"];
  exports?: Record<string, object>;
}

export interface Session extends AsyncDisposable {
  /** Runs an operation. @throws {WorkerError} what it threw */
  call<Result = unknown>(op: string, argument?: unknown): Promise<Result>;
  /** All lines of the terminal so far. */
  output(): string;
  miniflare: Miniflare;
}

/** What an operation threw, as the Worker saw it. */
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

/** Source of an object member; a method's own source is one already. */
function toMember(name: string, source: string): string {
  return /^(async\s*)?(\(|[\w$]+\s*=>)/.test(source) ? `${JSON.stringify(name)}: ${source}` : source;
}

export async function startSession(options: SessionOptions): Promise<Session> {
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
  const miniflare = new Miniflare(withVpc(instance, { config: options.config }));
  await miniflare.ready;
  return {
    miniflare,
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
