/**
 * A WebSocket that ends in this runtime, a Worker's or a test's, whose messages pass through Node, where the faults of an
 * observed call act on them. Each message is a frame: its kind, its length in four bytes, its bytes.
 *
 *   caller ◀── pair ──▶ near ══ faults (Node) ══ far ◀──▶ the Worker's WebSocket
 */

import type { ServiceWorkerEnv } from "./env.ts";
import { openTunnel, readEstablished } from "./egress.ts";
import { closeQuietly } from "./test/test-socket.ts";

const TEXT = 1;
const BYTES = 2;
/** Its bytes are the code and the reason. */
const CLOSE = 3;
const HEAD = 5;

/** RFC 6455 §7.4.1: the close had no code. */
const NO_CODE = 1005;

/** @returns the caller's end */
export async function tunnelSocket(
  origin: WebSocket,
  { env, ctx, exchangeId }: { env: ServiceWorkerEnv; ctx: Pick<ExecutionContext, "waitUntil">; exchangeId: string },
): Promise<WebSocket> {
  const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
  const over: Promise<void>[] = [];
  for (const [end, socket] of [
    ["near", server],
    ["far", origin],
  ] as const) {
    const tunnel = await openTunnel(env, { op: "attach-socket", exchangeId, end });
    await readEstablished(tunnel);
    over.push(joinTunnel(socket, tunnel));
  }
  ctx.waitUntil(Promise.all(over));
  return client;
}

/** Resolves at the end of both directions. */
async function joinTunnel(socket: WebSocket, tunnel: Socket): Promise<void> {
  const writer = tunnel.writable.getWriter();
  // The reader notices that the connection is gone.
  const send = (kind: number, payload: Uint8Array): void => void writer.write(frame(kind, payload)).catch(() => {});
  socket.binaryType = "arraybuffer";
  socket.accept();
  const encoder = new TextEncoder();
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") send(TEXT, encoder.encode(data));
    else send(BYTES, new Uint8Array(data as ArrayBuffer));
  });
  socket.addEventListener("close", ({ code, reason }) => {
    send(CLOSE, closing(code, encoder.encode(reason)));
    void writer.close().catch(() => {});
    closeQuietly(socket, code, reason);
  });
  try {
    for await (const [kind, payload] of framesIn(tunnel.readable)) {
      if (kind === TEXT) socket.send(new TextDecoder().decode(payload));
      else if (kind === BYTES) socket.send(payload);
      else
        return closeQuietly(
          socket,
          new DataView(payload.buffer).getUint16(0),
          new TextDecoder().decode(payload.subarray(2)),
        );
    }
  } catch {
    // Broken off, as below.
  }
  closeQuietly(socket, 1011, "the connection broke off");
}

function frame(kind: number, payload: Uint8Array): Uint8Array {
  const whole = new Uint8Array(HEAD + payload.length);
  whole[0] = kind;
  new DataView(whole.buffer).setUint32(1, payload.length);
  whole.set(payload, HEAD);
  return whole;
}

function closing(code: number, reason: Uint8Array): Uint8Array {
  const payload = new Uint8Array(2 + reason.length);
  new DataView(payload.buffer).setUint16(0, code === 0 ? NO_CODE : code);
  payload.set(reason, 2);
  return payload;
}

async function* framesIn(readable: ReadableStream<Uint8Array>): AsyncGenerator<[kind: number, payload: Uint8Array]> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  /** Bytes of the next frame, as far as they are known. */
  let needed = HEAD;
  for await (const chunk of readable) {
    chunks.push(chunk);
    size += chunk.length;
    // A large message comes in many chunks, which are joined once.
    if (size < needed) continue;
    let rest = join(chunks, size);
    for (;;) {
      needed = rest.length < HEAD ? HEAD : HEAD + new DataView(rest.buffer, rest.byteOffset).getUint32(1);
      if (rest.length < needed) break;
      // A copy, because its buffer is read from the start.
      yield [rest[0] ?? 0, rest.slice(HEAD, needed)];
      rest = rest.subarray(needed);
    }
    chunks = [rest];
    size = rest.length;
  }
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
