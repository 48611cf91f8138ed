/**
 * The thread that answers by one OpenAPI document, with the mock server of the user's project. A thread, because the mock
 * server takes seconds for a large document, prints what it likes, and keeps state that two documents must not share.
 *
 *   openapi.ts ── request ──▶ mock server ── answer, and what the document does not allow ──▶ openapi.ts
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { format } from "node:util";
import { parentPort, workerData } from "node:worker_threads";

import { messageOf } from "../system/error.ts";
import { followReferences } from "./openapi-files.ts";
import { type Operation, basePathsOf, describeNearest, operationsOf, readOpenapi } from "./openapi-document.ts";
import type { AskedOfThread, SaidByThread, ThreadData } from "./openapi-protocol.ts";

/** Of `@scalar/mock-server`. */
interface MockServer {
  fetch(request: Request): Response | Promise<Response>;
  notFound(handler: () => Response): unknown;
}

type CreateMockServer = (options: {
  document: string;
  logger: false;
  onRequest: (called: { context: { req: { raw: Request } } }) => void;
}) => Promise<MockServer>;

const { file, packageUrl } = workerData as ThreadData;

/** Marks the answer to a request for which there is no operation. */
const UNMATCHED = "x-unmatched";
/** Requests that got as far as an operation. */
const matched = new WeakSet<Request>();

function say(message: SaidByThread): void {
  parentPort?.postMessage(message, message.type === "answer" ? [message.body] : []);
}

/** Keeps what the mock server prints from the terminal. @returns a list that grows: lines about what it can't use, each once */
function silence(): string[] {
  const complaints: string[] = [];
  for (const method of ["log", "info", "debug", "trace", "warn", "error"] as const) {
    console[method] = (...values: unknown[]) => {
      const [line = ""] = format(...values).split("\n");
      // A format that JSON schema leaves to the application says nothing.
      if (/^(Error|Failed) /.test(line) && !complaints.includes(line)) complaints.push(line);
    };
  }
  return complaints;
}

async function start(): Promise<void> {
  const complaints = silence();
  const text = readFileSync(file, "utf8");
  const read = readOpenapi(text, file);
  if (read.type === "mistake") {
    const { problem, line, column } = read;
    return say({
      type: "failed",
      problem: `${[path.basename(file), line, column].filter(Boolean).join(":")} ${problem}`,
    });
  }
  const { createMockServer } = (await import(packageUrl)) as { createMockServer: CreateMockServer };
  const server = await createMockServer({
    document: file,
    logger: false,
    onRequest: ({ context }) => void matched.add(context.req.raw),
  });
  server.notFound(() => new Response("404 Not Found", { status: 404, headers: { [UNMATCHED]: "" } }));
  const operations = operationsOf(read.value);
  const basePaths = basePathsOf(read.value);
  parentPort?.on("message", (asked: AskedOfThread) => {
    void answer(asked, { server, operations, basePaths }).then(say, (error: unknown) =>
      say({ type: "failed-answer", id: asked.id, problem: messageOf(error) }),
    );
  });
  say({ type: "ready", files: followReferences(file, text).files, complaints });
}

interface Served {
  server: MockServer;
  operations: readonly Operation[];
  basePaths: readonly string[];
}

async function answer({ id, method, url, headers, body }: AskedOfThread, served: Served): Promise<SaidByThread> {
  const { pathname, search, origin } = new URL(url);
  const bases = served.basePaths.filter((base) => base === "" || pathname === base || pathname.startsWith(`${base}/`));
  let response = new Response();
  let request = new Request(url);
  for (const base of bases) {
    request = new Request(`${origin}${pathname.slice(base.length) || "/"}${search}`, { method, headers, body });
    response = await served.server.fetch(request);
    if (!response.headers.has(UNMATCHED)) break;
  }
  const bytes = await response.arrayBuffer();
  const isUnmatched = response.headers.has(UNMATCHED);
  response.headers.delete(UNMATCHED);
  const problem = isUnmatched
    ? describeUnmatched(served.operations, { method, path: pathname.slice((bases[0] ?? "").length) || "/" })
    : describeRefusal(response, { bytes, isMatched: matched.has(request) });
  const { status } = response;
  return {
    type: "answer",
    id,
    status,
    headers: [...response.headers],
    body: bytes,
    ...(problem !== undefined && { problem }),
  };
}

function describeUnmatched(operations: readonly Operation[], asked: Operation): string {
  const nearest = describeNearest(operations, asked);
  return `it has no such operation${nearest === undefined ? "" : `; the nearest is ${nearest}`}`;
}

/** @returns undefined if the answer is one of the document's own */
function describeRefusal(
  { status, headers }: Response,
  { bytes, isMatched }: { bytes: ArrayBuffer; isMatched: boolean },
): string | undefined {
  if (status === 401 && !isMatched) {
    const schemes = (headers.get("www-authenticate") ?? "").match(/\w+(?= realm=)/g) ?? [];
    return `it requires credentials${schemes.length > 0 ? `: ${[...new Set(schemes)].join(", ")}` : ""}`;
  }
  if (status !== 422 && status !== 500) return undefined;
  const { error, message, violations } = parse(bytes);
  // The mock server's own words, if it can't use this part of the document.
  if (error === "No response defined for this operation.") return "it defines no response for this operation";
  if (error === "Internal Server Error") return `the mock server failed: ${String(message)}`;
  if (!Array.isArray(violations)) return undefined;
  return (violations as { location: string; path: string; message: string }[])
    .map((each) => `${each.message}${each.location === "body" ? ` (body${each.path})` : ` (${each.location})`}`)
    .join("; ");
}

function parse(bytes: ArrayBuffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

start().catch((error: unknown) => say({ type: "failed", problem: messageOf(error) }));
