/**
 * What a recorder, or a page that shows the traffic, needs to know of a call beyond its entry in the journal. Captured only
 * while one of them watches (`Journal.watchClosely`), so that nothing else pays for it.
 *
 *   call ── decided ── dialled ── resolved ── connected ── secured ── taken ── sent ── answered ────── ended
 *        │        blocked    │ dns      │ connect   │ ssl     │     send    │  wait   │   receive   │
 */

import type { CallStep, ConnectionDetail, Timings } from "./call-steps.ts";
import type { Capture } from "./capture.ts";

export interface CallDetail {
  /** Milliseconds since the call began. */
  at: Partial<Record<CallStep, number>>;
  /** Absent if no connection was made, as for an answer of a rule. */
  connection?: ConnectionDetail;
}

export interface RequestDetail extends CallDetail {
  /** As the target sent it, before anything was changed for the way to the Worker. Absent without a target of its own. */
  response?: { httpVersion: string; headers: [string, string][] };
  statusText?: string;
  /** Of a WebSocket, in the order of arrival. Those with a Worker are not seen: they never leave workerd. */
  messages?: Piece<{ opcode: number }>[];
  /** What the messages carried. */
  messageBytes?: Capture;
  /** Messages that came after the last one that is kept. */
  messagesDropped?: number;
}

export interface TcpDetail extends CallDetail {
  /** What was read or written at once. Its bytes are in `sent` and `received` of the entry. */
  chunks: Piece[];
  chunksDropped: number;
}

/** Bytes that arrived together. */
export type Piece<More = object> = {
  from: "worker" | "target";
  /** Milliseconds since the call began. */
  at: number;
  /** Where its bytes are in the capture. */
  offset: number;
  size: number;
} & More;

/** Messages, or chunks, of one call. */
export const MAX_PIECES = 100_000;

/** @returns the bytes of a piece; undefined if the capture has not kept all of them */
export function bytesOf(capture: Capture, { offset, size }: Piece): Buffer | undefined {
  return offset + size <= capture.kept ? capture.bytes.subarray(offset, offset + size) : undefined;
}

/**
 * @param detail absent: nothing watched the call
 * @param duration milliseconds
 */
export function timingsOf(detail: CallDetail | undefined, duration: number): Timings {
  const { at = {} } = detail ?? {};
  /** No step ends before the one before it, or after the call. An answer may come before all of the request is sent. */
  const within = (moment: number | undefined, earliest: number): number =>
    Math.min(Math.max(moment ?? earliest, earliest), duration);
  const decided = within(at.decided, 0);
  const isNew = at.dialled !== undefined;
  const begun = within(at.dialled ?? at.taken, decided);
  const resolved = within(at.resolved, begun);
  // One that failed while it was dialled has done so to its end.
  const isStuck = isNew && at.connected === undefined && at.answered === undefined;
  const connected = within(at.connected ?? (isStuck ? duration : undefined), resolved);
  const ready = within(at.secured, connected);
  const answered = within(at.answered ?? duration, ready);
  const sent = Math.min(within(at.sent, ready), answered);
  return {
    blocked: begun,
    dns: at.resolved === undefined ? -1 : resolved - begun,
    connect: isNew ? ready - resolved : -1,
    ssl: at.secured === undefined ? -1 : ready - connected,
    send: sent - ready,
    wait: answered - sent,
    receive: duration - answered,
  };
}
