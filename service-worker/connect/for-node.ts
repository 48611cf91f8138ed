/**
 * `connect()` of code in Node. Miniflare's proxy can't carry a socket, so the service worker makes the connection, as for a
 * Worker, and brings its bytes to a socket of the Node process.
 *
 *   Node ── request ──▶ connectForNode ── hop ──▶ Relay ── decide ──▶ target
 *   Node ◀─ CONNECT ─── inbound ◀── copies ──▶ outbound
 */

import { takeOutcome } from "./connect-outcomes.ts";
import { makeConnectionId } from "./connection-id.ts";
import { ask, openTunnel, readEstablished } from "../egress.ts";
import type { Call, ServiceWorkerEnv } from "../env.ts";
import { type Hop, openHop } from "./hop.ts";
import { awaitOutcome, knock } from "./knock.ts";
import { drain } from "./relay.ts";
import { formatEndpoint } from "../routing/address-text.ts";
import {
  type ConnectOutcome,
  type EgressOrder,
  NODE_CONNECTION_HEADER,
  type NodeConnection,
  type NodeSocketState,
} from "../routing/egress-protocol.ts";
import type { ProxyErrorCode } from "../routing/error-codes.ts";

/** Milliseconds that bytes which Node wrote have to get out, once Node has closed its socket. */
const LINGER = 1000;
/** Bytes to read at once. */
const CHUNK = 64 * 1024;

/** @returns undefined unless it is this process that asks for a connection */
export function readNodeConnection(
  { headers }: Request,
  env: Pick<ServiceWorkerEnv, "EGRESS_SECRET">,
): NodeConnection | undefined {
  const header = headers.get(NODE_CONNECTION_HEADER);
  if (header === null) return undefined;
  try {
    const connection = JSON.parse(header) as NodeConnection;
    return isEqual(connection.secret, env.EGRESS_SECRET) ? connection : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @returns the `ConnectOutcome` as JSON. If it is open, the other end is at Node's socket
 * @throws {ProxyError} if Node doesn't wait for it any more
 */
export async function connectForNode({ socketId, hostname, port }: NodeConnection, call: Call): Promise<Response> {
  const { env, ctx } = call;
  // First, because a target that ends before its bytes are read here would be cut off.
  const inbound = await openTunnel(env, { op: "node-socket", socketId });
  await readEstablished(inbound);
  const connectionId = makeConnectionId();
  const { hop, outbound } = openHop({ address: formatEndpoint(hostname, port), connectionId }, call);
  const code = await awaitOutcome(knock(outbound), () => takeOutcome(connectionId));
  if (code !== "") {
    await inbound.close();
    return answer({ type: "failed", code: code as ProxyErrorCode });
  }
  ctx.waitUntil(joinNode(inbound, { env, socketId, hop, outbound }));
  return answer({ type: "open" });
}

function answer(outcome: ConnectOutcome): Response {
  return Response.json(outcome);
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
  return a.byteLength === b.byteLength && crypto.subtle.timingSafeEqual(a, b);
}

interface Joined {
  env: ServiceWorkerEnv;
  socketId: string;
  hop: Hop;
  outbound: Socket;
}

/** Resolves when both directions have ended, or Node has closed its socket; never rejects. */
async function joinNode(inbound: Socket, joined: Joined): Promise<void> {
  for (const { closed } of [inbound, joined.outbound]) closed.catch(() => undefined);
  const up = sendUp(inbound, joined);
  const isOver = Promise.all([up, sendDown(inbound, joined)]);
  await Promise.race([isOver, waitUntilGone(joined).then(() => Promise.race([up, scheduler.wait(LINGER)]))]);
  await Promise.all([joined.outbound.close(), inbound.close()]).catch(() => undefined);
}

/** Never rejects. */
async function sendUp(inbound: Socket, { env, socketId, hop, outbound }: Joined): Promise<void> {
  // What the target doesn't take is dropped.
  if ((await copy(inbound.readable, outbound.writable)) === "refused") await drain(inbound.readable);
  const { isGone } = await askGone(env, { socketId, isPatient: false });
  if (isGone) hop.goneAt = Date.now();
  await outbound.writable.close().catch(() => undefined);
}

/** Never rejects. */
async function sendDown(inbound: Socket, { env, socketId, outbound }: Joined): Promise<void> {
  const end = await copy(outbound.readable, inbound.writable);
  if (end === "refused") return;
  const isBroken = end === "broken";
  await ask(env, { op: "node-end", socketId, isBroken }).catch(() => undefined);
  await (isBroken ? inbound.close() : inbound.writable.close()).catch(() => undefined);
}

/**
 * Copies until one side ends or fails. Not a native pipe, because that doesn't tell which side failed, and closes the other
 * half of a connection too.
 *
 * @returns "broken": the source has failed; "refused": the sink takes no more
 */
async function copy(
  from: ReadableStream<Uint8Array>,
  to: WritableStream<Uint8Array>,
): Promise<"ended" | "broken" | "refused"> {
  const reader = from.getReader({ mode: "byob" });
  const writer = to.getWriter();
  let step: "broken" | "refused" = "broken";
  try {
    for (;;) {
      step = "broken";
      const { done, value } = await reader.read(new Uint8Array(CHUNK));
      if (done) return "ended";
      step = "refused";
      await writer.write(value);
    }
  } catch {
    return step;
  } finally {
    reader.releaseLock();
    writer.releaseLock();
  }
}

async function waitUntilGone({ env, socketId }: Joined): Promise<void> {
  await askGone(env, { socketId, isPatient: true });
}

/** Never rejects: if the process is over, so is its socket. */
async function askGone(
  env: ServiceWorkerEnv,
  order: Omit<EgressOrder & { op: "node-gone" }, "op">,
): Promise<NodeSocketState> {
  return ask<NodeSocketState>(env, { op: "node-gone", ...order }).catch(() => ({ isGone: true }));
}
