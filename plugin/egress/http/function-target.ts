/**
 * Targets that are functions of a vpc config, or stand-ins: called with a web Request or one end of a
 * connection. If a function throws, the request fails; the error never leaves this file.
 */

import { EventEmitter, once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Duplex, PassThrough, Readable, duplexPair } from "node:stream";
import type { ReadableStream, ReadableStreamDefaultReader } from "node:stream/web";

import { ESTABLISHED, type EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";
import type { VpcFunction, VpcFunctionTarget } from "../../config.ts";
import { hasBody, isBodiless } from "./body-framing.ts";
import { keepFailureOf } from "./exchange-failures.ts";
import { EgressError, describeOversize, sendFailure, sendRawFailure } from "../egress-error.ts";
import { messageOf, toError } from "../../system/error.ts";
import { type Field, REQUEST_PRIVATE, RESPONSE_PRIVATE, findOversize, relayedFields } from "./headers.ts";
import { DESTROYED, type Joining, type Named, splice } from "../splice.ts";

/** A web Request has no fields for message framing and connection handling (RFC 9110 §7.6.1). */
const NOT_IN_A_REQUEST = new Set([
  ...REQUEST_PRIVATE,
  "connection",
  "keep-alive",
  "transfer-encoding",
  "te",
  "trailer",
  "expect",
]);

/** Answers with what the target's `fetch` part returns, streaming. Never rejects. */
export async function answerByFunction(
  target: VpcFunctionTarget | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const answer = typeof target === "function" ? target : target?.fetch?.bind(target);
    if (answer === undefined) return sendFailure(outgoing, missingPart(target, "fetch"));
    const abort = new AbortController();
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) abort.abort();
    });
    const body = hasBody(incoming) ? readBody(incoming, outgoing) : null;
    const request = toWebRequest(incoming, { body, signal: abort.signal });
    if (!(request instanceof Request)) return sendFailure(outgoing, request);
    const called = await callFunction(answer, request);
    if ("response" in called) await sendResponse(called.response, { incoming, outgoing, signal: abort.signal });
    else if (!outgoing.destroyed) sendFailure(outgoing, failureOf(called.thrown));
  } catch (error) {
    if (!outgoing.destroyed) sendFailure(outgoing, faultOfFunction(error));
  }
}

/** Hands one end of the connection to the target's `connect` part. */
export function connectToFunction(
  target: VpcFunctionTarget | undefined,
  socket: Duplex,
  { exchangeId, join = splice, refuse = sendRawFailure }: Named & Partial<Joining>,
): void {
  // The function doesn't get the socket itself, because the CONNECT can still be refused until it returns.
  const [origin, end] = duplexPair();
  let hasFailed = false;
  origin.on("error", () => end.destroy());
  origin.once("close", () => {
    // The other end sees a clean end even if the function destroyed its own.
    if (!origin.writableFinished && !hasFailed) keepFailureOf(exchangeId, DESTROYED);
    end.destroy();
  });
  end.once("close", () => origin.destroy());
  catchListeners(origin);
  let returned: unknown;
  try {
    const connect = typeof target === "function" ? undefined : target?.connect?.bind(target);
    if (connect === undefined) return refuse(socket, missingPart(target, "connect"));
    returned = connect(origin);
  } catch (error) {
    refuse(socket, faultOfFunction(error));
    return;
  }
  // An async function is assignable to one that returns nothing; its rejection must not end the process.
  Promise.resolve(returned).catch((error: unknown) => {
    hasFailed = true;
    keepFailureOf(exchangeId, brokenByFunction(messageOf(error)));
    origin.destroy();
  });
  socket.write(ESTABLISHED);
  join(socket, end);
}

/** A connection that has begun can't be refused any more. @param text of what the function threw */
export function brokenByFunction(text: string): EgressFailure {
  return { code: "connection_terminated", detail: `the function that plays the origin failed: ${text}` };
}

/** If a listener that the function added throws or rejects, the connection ends instead of the process. */
function catchListeners(origin: Duplex): void {
  const fail = (error: unknown): void => void origin.destroy(toError(error));
  // An option of the constructor that `duplexPair` does not accept.
  Reflect.apply(EventEmitter, origin, [{ captureRejections: true }]);
  Object.assign(origin, { [EventEmitter.captureRejectionSymbol]: fail });
  const emit = origin.emit.bind(origin) as (...event: unknown[]) => boolean;
  origin.emit = (...event: unknown[]): boolean => {
    try {
      return emit(...event);
    } catch (error) {
      fail(error);
      return true;
    }
  };
}

/** A stand-in knows its failure. */
export function failureOf(thrown: unknown): EgressFailure {
  const error = toError(thrown);
  if (error instanceof EgressError) return error.failure;
  return { ...faultOfFunction(thrown), thrown: messageOf(thrown) };
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
  const detail = target === undefined ? "the target is no longer in the vpc config" : words[part];
  return { code: "destination_unavailable", detail };
}

/**
 * After the answer, the rest of an upload is read and dropped, because workerd's connection would stay
 * stuck in it. A function that still reads the body gets an error, not a clean end.
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

export function toWebRequest(incoming: IncomingMessage, parts: RequestParts): Request | EgressFailure {
  const method = incoming.method ?? "GET";
  try {
    const headers = relayedFields(incoming.rawHeaders, NOT_IN_A_REQUEST);
    // Not `new URL(path, host)`: the path "//a/b" would replace the host.
    const url = `http://${incoming.headers.host ?? "localhost"}${incoming.url}`;
    return new Request(url, { method, headers, duplex: "half", ...parts });
  } catch (error) {
    const detail = `a function can't be given this ${method} request: ${messageOf(error)}`;
    return { code: "http_request_error", detail };
  }
}

/** `thrown` may be anything, also what no operator can be used on. */
type Called = { response: Response } | { thrown: unknown };

/** @throws a TypeError that explains what the function returned instead of a Response */
async function callFunction(answer: VpcFunction, request: Request): Promise<Called> {
  let returned: unknown;
  try {
    returned = await answer(request);
  } catch (thrown) {
    return { thrown };
  }
  // Not instanceof: the Response may come from another library.
  if (typeof returned === "object" && returned !== null && "status" in returned && "headers" in returned) {
    const response = returned as Response;
    if (response.status !== 0) return { response };
  }
  throw new TypeError(`it returned ${String(returned)}, which isn't a usable Response`);
}

/** Node's fetch decodes a body but keeps the fields that describe the encoded one. */
const STALE_AFTER_FETCH = new Set(["content-encoding", "content-length"]);

interface Sending {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  /** Aborted when the caller is gone. */
  signal: AbortSignal;
}

async function sendResponse(response: Response, { incoming, outgoing, signal }: Sending): Promise<void> {
  const isDecoded = response.url !== "" && response.headers.has("content-encoding");
  const fields: Field[] = [...response.headers].filter(
    ([fieldName]) =>
      fieldName !== "transfer-encoding" &&
      !RESPONSE_PRIVATE.has(fieldName) &&
      !(isDecoded && STALE_AFTER_FETCH.has(fieldName)),
  );
  const { status, statusText, body } = response;
  const endsWithHead = isBodiless(incoming, status);
  checkHead({ status, fields, isEmpty: body === null && !endsWithHead });
  if (response.bodyUsed) throw new TypeError("it returned a Response whose body is used up");
  const reader = body?.getReader();
  // A body of another length would leave the caller waiting, or be read as the next answer's head.
  outgoing.strictContentLength = true;
  if (outgoing.shouldKeepAlive) outgoing.removeHeader("connection");
  outgoing.writeHead(status, statusText, fields.flat());
  if (reader !== undefined && endsWithHead) cancel(reader);
  else if (reader !== undefined) await sendPieces(reader, outgoing, signal);
  outgoing.end();
}

/** @throws an error that explains why the head would leave the caller waiting for more */
function checkHead({ status, fields, isEmpty }: { status: number; fields: Field[]; isEmpty: boolean }): void {
  // Another answer must follow a lower status (RFC 9110 §15.2).
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new RangeError(`it answered with the status ${status}, which isn't between 200 and 999`);
  }
  const oversize = findOversize(fields);
  if (oversize !== undefined) throw new RangeError(describeOversize(oversize).detail);
  const lengths = fields.filter(([fieldName]) => fieldName.toLowerCase() === "content-length");
  for (const [, length] of lengths) {
    if (lengths.length > 1 || !/^\d+$/.test(length)) {
      throw new TypeError(
        `it answered with the Content-Length ${JSON.stringify(lengths.map(([, value]) => value).join(", "))}`,
      );
    }
    if (isEmpty && Number(length) !== 0)
      throw new TypeError(`it answered with a Content-Length of ${length} and no body`);
  }
}

/** Node's adapter and `pipeline` can't handle an error without a text, so this reads by hand. @throws what the body throws */
async function sendPieces(reader: Reader, outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", () => cancel(reader));
  // The head must not wait for the first piece.
  outgoing.write(new Uint8Array());
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      if (!outgoing.write(value)) await once(outgoing, "drain", { signal });
    }
  } catch (error) {
    cancel(reader);
    throw error;
  }
}

type Reader = ReadableStreamDefaultReader<unknown>;

/** Doesn't wait, because a cancellation may fail or never finish. */
function cancel(reader: Reader): void {
  reader.cancel().catch(() => undefined);
}
