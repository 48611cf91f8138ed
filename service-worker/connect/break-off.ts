/**
 * Fails a caller's stream. JavaScript can end a socket's stream but can't fail it. The runtime's own pipe passes a
 * failure on, so this pipes a connection that the Node process resets into the stream.
 */

import { connect } from "cloudflare:sockets";
import { askReset } from "../egress.ts";
import type { ServiceWorkerEnv } from "../env.ts";

/** Never rejects: the failure of the pipe is intended, or means that the caller is gone. */
export async function breakOff(writable: WritableStream, env: ServiceWorkerEnv): Promise<void> {
  await pipeReset(writable, env).catch(() => undefined);
}

async function pipeReset(writable: WritableStream, env: ServiceWorkerEnv): Promise<void> {
  const { port, token } = await askReset(env);
  const socket = connect({ hostname: "127.0.0.1", port });
  socket.closed.catch(() => undefined);
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(token));
  writer.releaseLock();
  await socket.readable.pipeTo(writable);
}
