/**
 * The service worker's side of the egress proxy: reaches targets that only the Node process can reach, or that
 * were not known when the runtime started.
 */

import {
  type EgressFailure,
  type EgressLimits,
  type EgressOrder,
  type EgressOwnership,
  type EgressProbe,
  type EgressReset,
  type EgressTable,
  type EgressTcpTarget,
  type EgressVerdict,
  ESTABLISHED,
  FAILURE_HEADER,
  MUST_PROCEED,
  ORDER_HEADER,
  SECRET_HEADER,
  toHeader,
} from "./routing/egress-protocol.ts";
import type { ServiceWorkerEnv } from "./env.ts";
import { ProxyError } from "./proxy-error.ts";
import { wordsOf } from "./routing/describe-failure.ts";
import { AS_SENT } from "./pipe-body.ts";
import { readStart } from "./read-start.ts";
import { ThrownByTarget } from "./thrown-by-target.ts";

export interface HttpOrder extends Omit<Extract<EgressOrder, { op: "http" }>, "op"> {
  exchangeId: string;
}

/** Separates the ids from those of other runtimes that the same Node process serves. */
let runtimeId: string | undefined;
let exchanges = 0;

export function makeExchangeId(): string {
  // Made at the first call, because there are no random numbers while the script starts.
  runtimeId ??= crypto.randomUUID();
  return `${runtimeId}/${++exchanges}`;
}

/** @throws {ProxyError} if the target gave no response */
export function fetchThroughEgress(request: Request, env: ServiceWorkerEnv, order: HttpOrder): Promise<Response> {
  return sendToEgress(request, env, { op: "http", ...order });
}

/** Sends a request with an order. @throws {ProxyError} if the answer is a failure, {@link ThrownByTarget} */
export async function sendToEgress(request: Request, env: ServiceWorkerEnv, order: EgressOrder): Promise<Response> {
  const pending = env.EGRESS.fetch(request, { ...AS_SENT, ...orderInit(order) });
  const response = await (request.body === null ? pending : pending.catch(rejectUpload));
  const failure = response.headers.get(FAILURE_HEADER);
  if (failure === null) return response;
  const parsed = parseFailure(failure);
  if (parsed.thrown !== undefined) throw new ThrownByTarget(new Error(parsed.thrown), toProxyError(parsed));
  throw toProxyError(parsed);
}

/** The proxy answers whatever the target does. A request to it only breaks off if its body fails or ends too early. */
function rejectUpload(error: unknown): never {
  throw new ProxyError("http_request_error", {
    reason: `the request's body was not sent completely: ${error instanceof Error ? error.message : String(error)}`,
  });
}

/** Dials a target, with `tls` shakes hands, and hangs up. @returns why it can't be reached, or null if it accepts */
export async function askProbe(
  env: ServiceWorkerEnv,
  { target, limits, tls }: Omit<EgressOrder & { op: "probe" }, "op">,
): Promise<EgressFailure | null> {
  const { failure } = await ask<EgressProbe>(env, { op: "probe", target, limits, ...(tls && { tls }) });
  return failure;
}

/** Explains a failure without a cause from workerd: why the target can't be reached, or that it accepts and so dropped the call. */
export async function explainDrop(
  env: ServiceWorkerEnv,
  order: Omit<EgressOrder & { op: "probe" }, "op">,
): Promise<ProxyError> {
  const failure = await askProbe(env, order);
  return failure === null ? new ProxyError("connection_terminated") : toProxyError(failure);
}

/** @returns why the response of an exchange broke off, or null if nothing is known */
export async function askFailure(env: ServiceWorkerEnv, exchangeId: string): Promise<EgressFailure | null> {
  const { failure } = await ask<EgressProbe>(env, { op: "failure", exchangeId });
  return failure;
}

/** @returns whether the egress proxy has verified an https target by roots that this runtime has, too */
export async function askVerdict(env: ServiceWorkerEnv, key: string): Promise<boolean> {
  const { isVerified } = await ask<EgressVerdict>(env, { op: "verdict", feedId: env.FEED_ID, key });
  return isVerified;
}

/** @returns whether this session itself listens at a loopback port */
export async function askOwnership(env: ServiceWorkerEnv, port: number): Promise<boolean> {
  const { isOwn } = await ask<EgressOwnership>(env, { op: "ownership", port });
  return isOwn;
}

/** @returns a table that is newer than the generation; "none", which a patient order never gets; "over" if there will be none; a call to make */
export async function askTable(
  env: ServiceWorkerEnv,
  order: Omit<EgressOrder & { op: "table" }, "op">,
): Promise<EgressTable["table"]> {
  const { table } = await ask<EgressTable>(env, { op: "table", ...order });
  return table;
}

/** @throws {ProxyError} if the answer is a failure */
export async function ask<Answer>(env: ServiceWorkerEnv, order: EgressOrder): Promise<Answer> {
  const response = await env.EGRESS.fetch("http://egress/", orderInit(order));
  const failure = response.headers.get(FAILURE_HEADER);
  if (failure !== null) throw toProxyError(parseFailure(failure));
  return response.json();
}

/** @returns where to connect to: the connection is reset when it has sent the token. Works once */
export function askReset(env: ServiceWorkerEnv): Promise<EgressReset> {
  return ask<EgressReset>(env, { op: "reset" });
}

/**
 * Opens a raw connection to a target with an HTTP CONNECT to the proxy (RFC 9110 §9.3.6).
 *
 * @returns `isBroken`: call it at the end of the bytes, because the service worker sees a target's reset as a plain end
 * @throws {ProxyError} if the connection can't be made
 */
export async function connectThroughEgress(
  env: ServiceWorkerEnv,
  order: { target: EgressTcpTarget; limits: EgressLimits },
): Promise<{ socket: Socket; isBroken: () => Promise<boolean> }> {
  const exchangeId = makeExchangeId();
  const socket = await openTunnel(env, { op: "tcp", exchangeId, ...order });
  await readEstablished(socket);
  return { socket, isBroken: brokenBy(env, exchangeId) };
}

/** @returns whether the end of the bytes of a connection was a failure */
export function brokenBy(env: ServiceWorkerEnv, exchangeId: string): () => Promise<boolean> {
  return async () => (await askFailure(env, exchangeId)) !== null;
}

/** Sends a CONNECT. Its answer is still to be read. */
export async function openTunnel(env: ServiceWorkerEnv, order: EgressOrder): Promise<Socket> {
  const socket = env.EGRESS_TCP.connect("egress:1", { allowHalfOpen: true });
  const head = [
    "CONNECT egress:1 HTTP/1.1",
    "Host: egress:1",
    `${SECRET_HEADER}: ${env.EGRESS_SECRET}`,
    `${ORDER_HEADER}: ${toHeader(order)}`,
  ];
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  writer.releaseLock();
  return socket;
}

/**
 * Reads the answer to a CONNECT, and no more, because the next bytes come from the target.
 *
 * @returns whether it is `MUST_PROCEED`; another such answer follows
 * @throws {ProxyError} if the connection can't be made
 */
export async function readEstablished(socket: Socket): Promise<{ mustProceed: boolean }> {
  const answer = await readStart(socket.readable, ESTABLISHED.length);
  if (answer === ESTABLISHED) return { mustProceed: false };
  if (answer === MUST_PROCEED) return { mustProceed: true };
  const text = answer + (await readRest(socket.readable));
  await socket.close();
  const failure = new RegExp(`^${FAILURE_HEADER}: (.*)$`, "im").exec(text)?.[1];
  throw toProxyError(
    failure === undefined
      ? { code: "proxy_internal_error", detail: `the egress proxy answered ${JSON.stringify(text.split("\r\n")[0])}` }
      : parseFailure(failure),
  );
}

export function toProxyError(failure: EgressFailure): ProxyError {
  return new ProxyError(failure.code, wordsOf(failure));
}

function orderInit(order: EgressOrder): RequestInit {
  return { cf: { ...order } };
}

export function parseFailure(text: string): EgressFailure {
  return JSON.parse(text) as EgressFailure;
}

/** A `Response` takes no stream that was read from before. */
async function readRest(readable: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of readable) text += decoder.decode(chunk, { stream: true });
  return text;
}
