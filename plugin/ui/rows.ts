/** Makes a row of the page's list from an entry of the journal. */

import type { Piece } from "../scenario/call-detail.ts";
import { nameRule } from "../scenario/goals.ts";
import type { JournalEntry, RequestEntry } from "../scenario/journal.ts";
import type { TrafficRow } from "./traffic-view.ts";

export function toRow(entry: JournalEntry): TrafficRow {
  const { id, binding, worker, route, target, goal, code, isRefused, repeatId, startedAt, duration } = entry;
  return {
    id,
    binding,
    worker,
    ...describeAsked(entry),
    ...(route !== undefined && { route }),
    ...(target !== undefined && { target }),
    ...(goal?.rule && { rule: nameRule(goal.rule) }),
    ...(goal !== undefined && goal.hits.size > 0 && { faults: [...goal.hits] }),
    ...(code !== undefined && { code }),
    ...(isRefused === true && { isRefused }),
    ...(repeatId !== undefined && { isRepeated: true as const }),
    startedAt,
    ...(duration !== undefined && { duration }),
  };
}

type AskedColumns = Pick<TrafficRow, "kind" | "method" | "address" | "status" | "sent" | "received">;

function describeAsked(entry: JournalEntry): AskedColumns {
  if (entry.type === "connection") {
    const { address, sent, received } = entry;
    return { kind: "tcp", address, sent: sent.size, received: received.size };
  }
  const { method, url, status, body, responseBody, detail } = entry;
  const messages = detail?.messages ?? [];
  return {
    kind: isWebSocket(entry) ? "websocket" : "http",
    method,
    address: url,
    ...(status !== undefined && { status }),
    sent: body.size + bytesFrom("worker", messages),
    received: responseBody.size + bytesFrom("target", messages),
  };
}

function bytesFrom(side: Piece["from"], messages: readonly Piece[]): number {
  return messages.reduce((sum, { from, size }) => (from === side ? sum + size : sum), 0);
}

/** RFC 6455 §4.1 */
function isWebSocket({ headers }: RequestEntry): boolean {
  return headers.some(([field, value]) => field.toLowerCase() === "upgrade" && value.toLowerCase() === "websocket");
}
