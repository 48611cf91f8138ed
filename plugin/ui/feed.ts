/**
 * Sends rows to an open page: those that the journal has, then each one that begins or changes. Changes that come close
 * together go out together, and a page that reads slowly gets the newest state of each row, not every one in between.
 *
 *   journal ── entry ──▶ changed rows ── every 50 ms, if the page has read the last ones ──▶ page
 */

import type { TextSocket } from "../control/text-socket.ts";
import type { RoutingTable } from "../../service-worker/routing/table.ts";
import { DEFAULT_LIMITS, type JournalEntry } from "../scenario/journal.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { viewInForce } from "./in-force.ts";
import { viewNetwork } from "./network-view.ts";
import { toRow } from "./rows.ts";
import type { FeedEvent, FeedEvents, SessionView } from "./traffic-view.ts";

/** Milliseconds. */
const GATHER = 50;
/** Milliseconds. How often the bytes of open connections, and what is in force, are looked at, since nothing tells of them. */
const LOOK = 250;
/** Rows of one event. */
const CHUNK = 500;

/** Ends with the page's socket. */
export function feedPage(socket: TextSocket, scenario: Scenario, session: SessionView): void {
  const { journal } = scenario;
  const { stream } = socket;
  const send = <Name extends keyof FeedEvents>(event: Name, data: FeedEvents[Name]): void =>
    socket.send(JSON.stringify({ event, data } satisfies FeedEvent<Name>));
  const changed = new Set<JournalEntry>(journal.entries);
  /** Calls that go on, and how many bytes the page knows of. */
  const open = new Map<JournalEntry, number>();
  let cleared = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    timer = undefined;
    // "drain" calls again.
    if (stream.writableNeedDrain) return;
    const entries = [...changed].filter(({ id }) => id > cleared);
    changed.clear();
    for (let from = 0; from < entries.length; from += CHUNK) send("rows", entries.slice(from, from + CHUNK).map(toRow));
    for (const entry of entries) {
      if (entry.duration === undefined) open.set(entry, bytesOfCall(entry));
      else open.delete(entry);
    }
  };
  const schedule = (): void => void (timer ??= setTimeout(flush, GATHER).unref());
  const change = (entry: JournalEntry): void => {
    changed.add(entry);
    // A page that has stopped reading must not keep what the journal has dropped.
    if (changed.size > DEFAULT_LIMITS.entries) for (const oldest of changed) if (changed.delete(oldest)) break;
    schedule();
  };
  const known: { inForce?: string; table?: RoutingTable; network?: string } = {};
  const look = (): void => {
    for (const [entry, size] of open) if (bytesOfCall(entry) !== size) change(entry);
    if (stream.writableNeedDrain) return;
    const inForce = viewInForce(scenario);
    const text = JSON.stringify(inForce);
    if (text !== known.inForce) send("inForce", inForce);
    known.inForce = text;
    const { table } = scenario.context;
    if (table === known.table) return;
    known.table = table;
    const network = viewNetwork(table);
    const description = JSON.stringify(network);
    if (description !== known.network) send("network", network);
    known.network = description;
  };
  const looking = setInterval(look, LOOK).unref();
  const clear = (upTo: number): void => {
    cleared = upTo;
    open.clear();
    send("cleared", { upTo });
  };

  send("session", session);
  look();
  flush();
  stream.on("drain", schedule);
  journal.changes.on("entry", change);
  // The messages of a WebSocket come after its request has ended.
  journal.changes.on("piece", change);
  journal.changes.on("cleared", clear);
  stream.once("close", () => {
    clearTimeout(timer);
    clearInterval(looking);
    journal.changes.off("entry", change);
    journal.changes.off("piece", change);
    journal.changes.off("cleared", clear);
  });
}

function bytesOfCall(entry: JournalEntry): number {
  const [one, other] = entry.type === "request" ? [entry.body, entry.responseBody] : [entry.sent, entry.received];
  return one.size + other.size;
}
