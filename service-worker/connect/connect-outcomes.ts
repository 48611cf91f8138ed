/**
 * Keeps whether each `connect()` has connected, or why not, by the id that its facade chose, until the facade asks. It asks if
 * its knock is not taken soon, or is lost (knock.ts).
 */

import type { OPEN } from "./knock.ts";
import type { ProxyErrorCode } from "../routing/error-codes.ts";
import { keepNewest } from "../routing/newest.ts";

type Outcome = ProxyErrorCode | typeof OPEN;

const outcomes = new Map<string, Outcome>();

/** Beyond this many, the oldest is dropped. Nobody asks for most of them. */
const MAX_OUTCOMES = 20_000;

/** Call it with a failure before the knock is refused. */
export function keepOutcome(connectionId: string, value: Outcome): void {
  keepNewest(outcomes, connectionId, { value, max: MAX_OUTCOMES });
}

/** Waits for it. @returns "" if it takes too long */
export async function takeOutcome(connectionId: string): Promise<Outcome | ""> {
  await look(() => outcomes.has(connectionId));
  const outcome = outcomes.get(connectionId) ?? "";
  outcomes.delete(connectionId);
  return outcome;
}

/** Milliseconds between two looks. An event can't wait for another one's promise. */
const LOOK_AGAIN = 5;
/** Milliseconds until a question is answered with nothing, and until a connection ends although nobody has asked. */
const PATIENCE = 1000;

/** @param inbound the connection of a facade that asks (connection-id.ts). Its answer is the outcome, or nothing yet */
export async function answerWhy(inbound: Socket, { connectionId = "" }: { connectionId?: string }): Promise<void> {
  const outcome = await takeOutcome(connectionId);
  const writer = inbound.writable.getWriter();
  await writer.write(new TextEncoder().encode(outcome));
  await writer.close();
}

/** @returns whether the facade has asked. If not, it probably never will, but on a busy machine it may */
export async function waitUntilTaken(connectionId: string): Promise<boolean> {
  await look(() => !outcomes.has(connectionId));
  return !outcomes.has(connectionId);
}

async function look(isSo: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!isSo() && Date.now() < end) await scheduler.wait(LOOK_AGAIN);
}
