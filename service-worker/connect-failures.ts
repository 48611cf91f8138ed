/**
 * Keeps why each `connect()` failed, by the id that its facade chose, until the facade asks. That it failed, the facade finds
 * out by its knock (knock.ts).
 */

import type { ProxyErrorCode } from "./routing/error-codes.ts";

const connectFailures = new Map<string, ProxyErrorCode>();

/** Beyond this many, the oldest is dropped. If its caller is gone, nobody asks. */
const MAX_FAILURES = 100_000;

/** Call it before the knock is refused. */
export function keepConnectFailure(connectionId: string, code: ProxyErrorCode): void {
  connectFailures.set(connectionId, code);
  const [oldest] = connectFailures.keys();
  if (connectFailures.size > MAX_FAILURES && oldest !== undefined) connectFailures.delete(oldest);
}

/** If none is kept, the connection broke off for another reason, and the fault is ours. */
export function takeConnectFailure(connectionId: string): ProxyErrorCode {
  const code = connectFailures.get(connectionId);
  connectFailures.delete(connectionId);
  return code ?? "proxy_internal_error";
}

/** @param inbound the connection of a facade that asks (connection-id.ts) */
export async function answerWhy(inbound: Socket, { connectionId = "" }: { connectionId?: string }): Promise<void> {
  const writer = inbound.writable.getWriter();
  await writer.write(new TextEncoder().encode(takeConnectFailure(connectionId)));
  await writer.close();
}
