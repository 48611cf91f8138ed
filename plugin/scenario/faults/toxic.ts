/**
 * A toxic is a fault at work on one stream of one connection. It only decides; `chain.ts` moves the bytes.
 */

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";

/** Times are in milliseconds, on the clock of `performance.now()`. */
export interface Chunk {
  type: "chunk";
  data: Buffer;
  /** When it arrived; a toxic that delays it moves this on, so that delays add up. */
  at: number;
}

/** The end of a stream, behind its last chunk. */
export interface End {
  type: "end";
  /** Absent: it ended cleanly. */
  cause?: Cause;
}

/** Why a stream doesn't end cleanly: a fault closed or reset the connection, or the source broke off by itself. */
export type Cause = { how: "close" | "reset"; failure: EgressFailure } | { how: "lost" };

/** What happens to the chunk or end that is next in line. */
export type Step =
  /** `bytes`: so many of it; default: all. `at`: its new time. */
  | { do: "pass"; bytes?: number; at?: number }
  | { do: "drop" }
  /** Decide again at that time. */
  | { do: "wait"; until: number }
  /** The stream ends here, whatever waits. */
  | { do: "break"; cause: Cause };

export interface Moment {
  now: number;
  /** Bytes that the fault has let through so far, also before it was updated. */
  passed: number;
}

/** A toxic may be asked at any time and any number of times: only `onPass` says that its decision was carried out. */
export interface Toxic {
  /** Chunks that may wait in line. Default: one of any size. */
  readonly capacity?: { chunks: number; bytes: number };
  onChunk(chunk: Chunk, moment: Moment): Step;
  /** Default: the end passes. */
  onEnd?(moment: Moment): Step;
  /** Nothing is in line. Default: waits. */
  onIdle?(moment: Moment): Step;
  onPass?(now: number): void;
  /** The connection ends if the fault is removed. Default: what waits goes on. */
  readonly whenRemoved?: Cause;
}

export const PASS: Step = { do: "pass" };
export const WAIT: Step = { do: "wait", until: Infinity };

export function waitUntil(due: number, now: number): Step {
  return now < due ? { do: "wait", until: due } : PASS;
}

/** A fault ends the connection. @param detail a clause that begins with the fault */
export function breakBy(how: "close" | "reset", detail: string): { how: "close" | "reset"; failure: EgressFailure } {
  return { how, failure: { code: "connection_terminated", detail } };
}
