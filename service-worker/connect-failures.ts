/**
 * Keeps why each `connect()` failed, by the id that its facade chose, until the facade asks. It asks if its knock is not taken
 * soon (knock.ts).
 */

import type { ProxyErrorCode } from "./routing/error-codes.ts";
import { keepNewest } from "./routing/newest.ts";

const connectFailures = new Map<string, ProxyErrorCode>();

/** Beyond this many, the oldest is dropped. If its caller is gone, nobody asks. */
const MAX_FAILURES = 100_000;

/** Call it before the knock is refused. */
export function keepConnectFailure(connectionId: string, code: ProxyErrorCode): void {
  keepNewest(connectFailures, connectionId, { value: code, max: MAX_FAILURES });
}

/** @returns undefined if none is kept */
export function takeConnectFailure(connectionId: string): ProxyErrorCode | undefined {
  const code = connectFailures.get(connectionId);
  connectFailures.delete(connectionId);
  return code;
}

/** Milliseconds between two looks. An event can't wait for another one's promise. */
const LOOK_AGAIN = 5;
/** Milliseconds until a question is answered with nothing, and until a connection ends although nobody has asked. */
const PATIENCE = 1000;

/** @param inbound the connection of a facade that asks (connection-id.ts). Its answer is the code, or nothing yet */
export async function answerWhy(inbound: Socket, { connectionId = "" }: { connectionId?: string }): Promise<void> {
  await look(() => connectFailures.has(connectionId));
  const writer = inbound.writable.getWriter();
  await writer.write(new TextEncoder().encode(takeConnectFailure(connectionId) ?? ""));
  await writer.close();
}

/** @returns whether the facade has asked. If not, it probably never will, but on a busy machine it may */
export async function waitUntilTaken(connectionId: string): Promise<boolean> {
  await look(() => !connectFailures.has(connectionId));
  return !connectFailures.has(connectionId);
}

async function look(isSo: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!isSo() && Date.now() < end) await scheduler.wait(LOOK_AGAIN);
}
