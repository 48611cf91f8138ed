/**
 * Targets that are functions of a vpc config: kept by id, called with a web Request or one end of a
 * connection. What a function throws is the answer's failure, never an exception here.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Duplex, PassThrough, Readable, duplexPair } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";

import type { EgressFailure } from "../../service-worker/egress-protocol.ts";
import type { VpcFunction, VpcFunctionTarget } from "../config.ts";
import { sendFailure, sendRawFailure } from "./failure.ts";
import { messageOf } from "../error.ts";
import { type Field, REQUEST_PRIVATE, RESPONSE_PRIVATE, relayedFields } from "./headers.ts";
import { ESTABLISHED, splice } from "./splice.ts";

export interface FunctionRegistry {
  /** Replaces the owner's functions; the ones before stay for requests that were already decided. */
  set: (owner: string, functions: ReadonlyMap<string, VpcFunctionTarget>) => void;
  /** Lets go of everything of an owner. */
  drop: (owner: string) => void;
  /** Where several owners have the id, the one that was set last wins. */
  find: (functionId: string) => VpcFunctionTarget | undefined;
}

export function createFunctionRegistry(): FunctionRegistry {
  type Functions = ReadonlyMap<string, VpcFunctionTarget>;
  const owners = new Map<string, { current: Functions; previous: Functions }>();
  return {
    set(owner, functions) {
      const previous = owners.get(owner)?.current ?? new Map();
      owners.delete(owner);
      owners.set(owner, { current: functions, previous });
    },
    drop: (owner) => owners.delete(owner),
    find(functionId) {
      const latestFirst = [...owners.values()].toReversed();
      const sets = [...latestFirst.map(({ current }) => current), ...latestFirst.map(({ previous }) => previous)];
      return sets.find((functions) => functions.has(functionId))?.get(functionId);
    },
  };
}

/** Message framing and connection handling (RFC 9110 §7.6.1) are no part of a web Request. */
const NOT_IN_A_REQUEST = new Set([
  ...REQUEST_PRIVATE,
  "connection",
  "keep-alive",
  "transfer-encoding",
  "te",
  "trailer",
  "expect",
]);

/** Answers with what the target's `fetch` part returns, streaming. */
export async function answerByFunction(
  target: VpcFunctionTarget | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const answer = typeof target === "function" ? target : target?.fetch?.bind(target);
  if (answer === undefined) return sendFailure(outgoing, missingPart(target, "fetch"));
  const abort = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) abort.abort();
  });
  const body = hasBody(incoming) ? readBody(incoming, outgoing) : null;
  const request = toRequest(incoming, { body, signal: abort.signal });
  if (!(request instanceof Request)) return sendFailure(outgoing, request);
  try {
    await sendResponse(await callFunction(answer, request), outgoing);
  } catch (error) {
    sendFailure(outgoing, faultOfFunction(error));
  }
}

/** Hands one end of the connection to the target's `connect` part. */
export function connectToFunction(target: VpcFunctionTarget | undefined, socket: Duplex): void {
  const connect = typeof target === "function" ? undefined : target?.connect?.bind(target);
  if (connect === undefined) return sendRawFailure(socket, missingPart(target, "connect"));
  // Not the socket itself: until the function has returned, the CONNECT can still be refused.
  const [origin, end] = duplexPair();
  origin.on("error", () => end.destroy());
  origin.once("close", () => end.destroy());
  end.once("close", () => origin.destroy());
  let returned: unknown;
  try {
    returned = connect(origin);
  } catch (error) {
    sendRawFailure(socket, faultOfFunction(error));
    return;
  }
  // An async function is assignable to one that returns nothing; its rejection must not end the process.
  Promise.resolve(returned).catch(() => origin.destroy());
  socket.write(ESTABLISHED);
  splice(socket, end);
}

function faultOfFunction(error: unknown): EgressFailure {
  return {
    code: "proxy_internal_error",
    detail: `the target's function failed: ${messageOf(error)}`,
    hint: "Correct the function in the vpc config.",
  };
}

function missingPart(target: VpcFunctionTarget | undefined, part: "fetch" | "connect"): EgressFailure {
  const words = {
    fetch: "the target's function has no fetch part, so it answers connect() only",
    connect: "the target's function answers fetch() only; write { connect(socket) { … } } to answer connect()",
  };
  const detail = target === undefined ? "the target's function is no longer in the vpc config" : words[part];
  return { code: "destination_unavailable", detail };
}

/**
 * Once there is an answer, what is left of an upload is read to its end, or workerd's connection would
 * stay stuck in it; a function that still wants it gets an error, not a clean end.
 */
function readBody(incoming: IncomingMessage, outgoing: ServerResponse): ReadableStream {
  const body = incoming.pipe(new PassThrough());
  outgoing.once("close", () => {
    if (body.writableEnded) return;
    incoming.unpipe(body).resume();
    body.destroy(new Error("the request was over before its body was read"));
  });
  return Readable.toWeb(body);
}

interface RequestParts {
  body: ReadableStream | null;
  signal: AbortSignal;
}

function toRequest(incoming: IncomingMessage, parts: RequestParts): Request | EgressFailure {
  const method = incoming.method ?? "GET";
  try {
    const headers = relayedFields(incoming.rawHeaders, NOT_IN_A_REQUEST);
    const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? "localhost"}`);
    return new Request(url, { method, headers, duplex: "half", ...parts });
  } catch (error) {
    const detail = `a function can't be given this ${method} request: ${messageOf(error)}`;
    return { code: "http_request_error", detail };
  }
}

/** RFC 9112 §6.3: a request without either field has no body. */
export function hasBody(incoming: IncomingMessage): boolean {
  return incoming.headers["transfer-encoding"] !== undefined || Number(incoming.headers["content-length"] ?? 0) > 0;
}

/** @throws what the function throws, or an error in words if it returns no Response */
async function callFunction(answer: VpcFunction, request: Request): Promise<Response> {
  const returned: unknown = await answer(request);
  // Not instanceof: the Response may be another library's.
  if (typeof returned === "object" && returned !== null && "status" in returned && "headers" in returned) {
    const response = returned as Response;
    if (response.status !== 0) return response;
  }
  throw new TypeError(`it returned ${String(returned)}, which is no usable Response`);
}

/** Node's fetch has undone the coding but kept the fields that tell of it. */
const STALE_AFTER_FETCH = new Set(["content-encoding", "content-length"]);

async function sendResponse(response: Response, outgoing: ServerResponse): Promise<void> {
  const isDecoded = response.url !== "" && response.headers.has("content-encoding");
  const fields: Field[] = [...response.headers].filter(
    ([fieldName]) =>
      fieldName !== "transfer-encoding" &&
      !RESPONSE_PRIVATE.has(fieldName) &&
      !(isDecoded && STALE_AFTER_FETCH.has(fieldName)),
  );
  const body = response.body === null ? null : Readable.fromWeb(response.body);
  if (outgoing.shouldKeepAlive) outgoing.removeHeader("connection");
  outgoing.writeHead(response.status, response.statusText, fields.flat());
  if (body === null) {
    outgoing.end();
    return;
  }
  // The head must not wait for the first chunk of the body.
  outgoing.write(new Uint8Array());
  await pipeline(body, outgoing);
}
