/**
 * Remembers what was asked and answered, in the order of arrival. Bounded: the oldest entries go first, and the bodies of
 * the oldest before them.
 */

import { EventEmitter } from "node:events";

import type { RequestDetail, TcpDetail } from "./call-detail.ts";
import type { Capture } from "./capture.ts";
import type { RecordingSpec } from "../recordings/recording-spec.ts";
import type { Goal } from "./goals.ts";
import type { AskedFor } from "./who.ts";

export interface JournalLimits {
  entries: number;
  /** Bytes of one body. */
  body: number;
  /** Bytes of all bodies together. */
  bodies: number;
}

export const DEFAULT_LIMITS: JournalLimits = { entries: 10_000, body: 1024 * 1024, bodies: 64 * 1024 * 1024 };

/** What requests and connections have in common. */
export interface EntryStart {
  id: number;
  /** For looking it up; not part of what a client gets. */
  asked: AskedFor;
  /** Names of the wrangler config. */
  binding: string;
  worker: string;
  /** As the user wrote it; absent if no route decided. */
  route?: string;
  target?: string;
  /** The id of the rule that decided. */
  rule?: string;
  /** Where it went. For the terminal, whose words clients get. */
  goal?: Goal;
  /** The error code that the Worker got. */
  code?: string;
  /** Why the call failed, in words. */
  reason?: string;
  /** No rule decided, and the vpc config, or `strict`, refused it. */
  isRefused?: boolean;
  /** For a refused call: the rule that comes nearest, and what differs. */
  nearest?: string;
  /** The traffic page has sent it again. */
  repeatId?: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Milliseconds; absent while it goes on. */
  duration?: number;
}

export interface RequestEntry extends EntryStart {
  type: "request";
  method: string;
  url: string;
  headers: [string, string][];
  body: Capture;
  status?: number;
  response?: { headers: [string, string][] };
  responseBody: Capture;
  /** The target that decided is being recorded. */
  recording?: RecordingSpec;
  /** Only if somebody watched closely when it began. */
  detail?: RequestDetail;
}

export interface ConnectionEntry extends EntryStart {
  type: "connection";
  address: string;
  /** Bytes from the Worker. */
  sent: Capture;
  /** Bytes to the Worker. */
  received: Capture;
  /** Only if somebody watched closely when it began. */
  detail?: TcpDetail;
}

export type JournalEntry = RequestEntry | ConnectionEntry;

/** Who needs the details of calls, such as a recorder. */
export interface CloseWatcher {
  /** Bytes that passed, also those that the journal has no room for. The sender may use the buffer again. */
  bytes?: (capture: Capture, chunk: Uint8Array) => void;
}

export class Journal {
  /** Entries that no longer fit, since it was emptied. */
  dropped = 0;
  #entries: JournalEntry[] = [];
  /** Those with bytes, oldest first. */
  readonly #captures = new Set<Capture>();
  #kept = 0;
  #made = 0;
  readonly #connections = new WeakMap<object, number>();
  #connected = 0;
  readonly #limits: JournalLimits;
  /**
   * `entry`: it began, was answered or ended; `piece`: it has one more message or chunk, and is watched closely; `cleared`:
   * all entries with an id up to this are gone.
   */
  readonly changes: EventEmitter<{ entry: [JournalEntry]; piece: [JournalEntry]; cleared: [upTo: number] }> =
    new EventEmitter();
  readonly #watchers = new Set<CloseWatcher>();

  constructor(limits: JournalLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
    this.changes.setMaxListeners(0);
  }

  nextId(): number {
    return ++this.#made;
  }

  add(entry: JournalEntry): void {
    this.#entries.push(entry);
    while (this.#entries.length > this.#limits.entries) {
      const oldest = this.#entries.shift();
      if (oldest !== undefined) this.#forgetBytes(oldest);
      this.dropped++;
    }
  }

  /** Call it when an entry has changed. */
  note(entry: JournalEntry): void {
    this.changes.emit("entry", entry);
  }

  /** Call it when an entry that is watched closely has one more piece. */
  notePiece(entry: JournalEntry): void {
    this.changes.emit("piece", entry);
  }

  /** @returns the same number for the same connection */
  numberOf(connection: object): number {
    const number = this.#connections.get(connection) ?? ++this.#connected;
    this.#connections.set(connection, number);
    return number;
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Calls that begin from now on have details. @returns a function that ends it */
  watchClosely(watcher: CloseWatcher): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  get isWatchedClosely(): boolean {
    return this.#watchers.size > 0;
  }

  capture(capture: Capture, chunk: Uint8Array): void {
    for (const { bytes } of this.#watchers) bytes?.(capture, chunk);
    const kept = capture.add(chunk, this.#limits.body);
    if (kept === 0) return;
    this.#kept += kept;
    this.#captures.add(capture);
    for (const oldest of this.#captures) {
      if (this.#kept <= this.#limits.bodies) return;
      this.#forget(oldest);
    }
  }

  clear(): void {
    for (const entry of this.#entries) this.#forgetBytes(entry);
    this.#entries = [];
    this.dropped = 0;
    this.changes.emit("cleared", this.#made);
  }

  #forgetBytes(entry: JournalEntry): void {
    for (const capture of capturesOf(entry)) this.#forget(capture);
  }

  #forget(capture: Capture): void {
    this.#captures.delete(capture);
    this.#kept -= capture.kept;
    capture.forget();
  }
}

/** @returns all that have bytes of the call */
export function capturesOf(entry: JournalEntry): Capture[] {
  if (entry.type === "connection") return [entry.sent, entry.received];
  const messages = entry.detail?.messageBytes;
  return [entry.body, entry.responseBody, ...(messages === undefined ? [] : [messages])];
}
