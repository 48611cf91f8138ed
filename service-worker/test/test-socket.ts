/**
 * The WebSocket that a function of a vitest test answers with. A WebSocket can't travel over RPC, so its messages do.
 *
 *   user's Worker ── WebSocket ── pair ── message | close ──▶ test
 */

import type { TestSocket } from "./test-function.ts";

export async function acceptTestSocket(
  upgrade: TestSocket,
  ctx: Pick<ExecutionContext, "waitUntil">,
): Promise<Response> {
  const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
  server.binaryType = "arraybuffer";
  server.accept();
  const end = (): void => closeQuietly(server, 1011, "the test's WebSocket broke off");
  server.addEventListener("message", ({ data }) => void upgrade.message(data as string | ArrayBuffer).catch(end));
  const over = Promise.withResolvers<void>();
  server.addEventListener("close", ({ code, reason }) => {
    void upgrade.close(code, reason).then(over.resolve, over.resolve);
    closeQuietly(server, code, reason);
  });
  // Otherwise the runtime may end this request before the test hears of the close.
  ctx.waitUntil(over.promise);
  await upgrade.open({
    async message(data) {
      server.send(data);
    },
    async close(code, reason) {
      closeQuietly(server, code, reason);
    },
  });
  return new Response(null, { status: 101, webSocket: client, headers: upgrade.headers });
}

/** It may be closed already. A code that says that there was none can't be sent. */
export function closeQuietly(socket: WebSocket, code: number | undefined, reason: string | undefined): void {
  try {
    if (code === undefined || code === 1005 || code === 1006) socket.close();
    else socket.close(code, reason);
  } catch {
    // Closed.
  }
}
