/**
 * The service worker's side of the egress proxy: targets that only the Node process can reach, or
 * that were not known when the runtime started.
 */

import {
  type EgressFailure,
  type EgressLimits,
  type EgressOrder,
  type EgressOwnership,
  type EgressProbe,
  type EgressTarget,
  FAILURE_HEADER,
  ORDER_HEADER,
  SECRET_HEADER,
  toHeader,
} from "./egress-protocol.ts";
import type { ServiceWorkerEnv } from "./env.ts";
import { ProxyError } from "./failure.ts";
import { PROXY_ERRORS } from "./proxy-error.ts";
import { AS_SENT } from "./pipe-body.ts";

export interface HttpOrder extends Omit<Extract<EgressOrder, { op: "http" }>, "op"> {
  exchangeId: string;
}

/** Apart from those of other sessions in the same Node process. */
let session: string | undefined;
let exchanges = 0;

export function makeExchangeId(): string {
  // Not at the start: there are no random numbers then.
  session ??= crypto.randomUUID();
  return `${session}/${++exchanges}`;
}

/** @throws {ProxyError} if the target gave no response */
export async function fetchThroughEgress(request: Request, env: ServiceWorkerEnv, order: HttpOrder): Promise<Response> {
  const response = await env.EGRESS.fetch(request, { ...AS_SENT, ...orderInit({ op: "http", ...order }) });
  const failure = response.headers.get(FAILURE_HEADER);
  if (failure === null) return response;
  throw toProxyError(parseFailure(failure));
}

/** Dials a target and hangs up. @returns why it can't be reached, or null if it accepts */
export async function probe(
  env: ServiceWorkerEnv,
  order: { target: EgressTarget; limits: EgressLimits },
): Promise<EgressFailure | null> {
  const { failure } = await ask<EgressProbe>(env, { op: "probe", ...order });
  return failure;
}

/** After a failure that workerd tells no cause of: the target's own word, or that it accepts, and so dropped the call. */
export async function explainDrop(
  env: ServiceWorkerEnv,
  order: { target: EgressTarget; limits: EgressLimits },
): Promise<ProxyError> {
  const failure = await probe(env, order);
  return failure === null ? new ProxyError("connection_terminated") : toProxyError(failure);
}

/** @returns why the response of an exchange broke off, or null if nothing is known */
export async function askFailure(env: ServiceWorkerEnv, exchangeId: string): Promise<EgressFailure | null> {
  const { failure } = await ask<EgressProbe>(env, { op: "failure", exchangeId });
  return failure;
}

/** @returns whether this very session listens at a loopback port */
export async function askOwnership(env: ServiceWorkerEnv, port: number): Promise<boolean> {
  const { isOwn } = await ask<EgressOwnership>(env, { op: "ownership", port });
  return isOwn;
}

async function ask<Answer>(env: ServiceWorkerEnv, order: EgressOrder): Promise<Answer> {
  const response = await env.EGRESS.fetch("http://egress/", orderInit(order));
  const failure = response.headers.get(FAILURE_HEADER);
  if (failure !== null) throw toProxyError(parseFailure(failure));
  return response.json();
}

/**
 * Opens a raw connection to a target by an HTTP CONNECT to the proxy (RFC 9110 §9.3.6).
 *
 * @returns the open connection; `first`: bytes of the target that came with the proxy's answer
 * @throws {ProxyError} if the connection can't be made
 */
export async function connectThroughEgress(
  env: ServiceWorkerEnv,
  order: { target: EgressTarget; limits: EgressLimits },
): Promise<{ socket: Socket; first: Uint8Array }> {
  const socket = env.EGRESS_TCP.connect("egress:1", { allowHalfOpen: true });
  const writer = socket.writable.getWriter();
  const head = [
    "CONNECT egress:1 HTTP/1.1",
    "Host: egress:1",
    `${SECRET_HEADER}: ${env.EGRESS_SECRET}`,
    `${ORDER_HEADER}: ${toHeader({ op: "tcp", ...order })}`,
  ];
  await writer.write(new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`));
  writer.releaseLock();

  const { text, rest: first } = await readHead(socket.readable);
  if (text.startsWith("HTTP/1.1 200 ")) return { socket, first };
  await socket.close();
  const failure = new RegExp(`^${FAILURE_HEADER}: (.*)$`, "im").exec(text)?.[1];
  throw toProxyError(
    failure === undefined
      ? { code: "proxy_internal_error", detail: `the egress proxy answered ${JSON.stringify(text.split("\r\n")[0])}` }
      : parseFailure(failure),
  );
}

export function toProxyError({ code, detail, hint }: EgressFailure): ProxyError {
  if (hint !== undefined) return new ProxyError(code, { reason: detail, hint });
  return new ProxyError(code, { reason: `${PROXY_ERRORS[code].summary}: ${detail}` });
}

function orderInit(order: EgressOrder): RequestInit {
  return { cf: { ...order } };
}

function parseFailure(text: string): EgressFailure {
  return JSON.parse(text) as EgressFailure;
}

const HEAD_END = [13, 10, 13, 10];

async function readHead(readable: ReadableStream<Uint8Array>): Promise<{ text: string; rest: Uint8Array }> {
  const reader = readable.getReader();
  let bytes = new Uint8Array();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw toProxyError({ code: "proxy_internal_error", detail: "the egress proxy hung up" });
      const longer = new Uint8Array(bytes.length + value.length);
      longer.set(bytes);
      longer.set(value, bytes.length);
      bytes = longer;
      const end = bytes.findIndex((_, index) => HEAD_END.every((byte, offset) => bytes[index + offset] === byte));
      if (end !== -1) return { text: new TextDecoder().decode(bytes.subarray(0, end)), rest: bytes.subarray(end + 4) };
    }
  } finally {
    reader.releaseLock();
  }
}
