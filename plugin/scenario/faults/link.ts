/**
 * A connection in memory with faults on the bytes between its two ends, for HTTP/1.1 to run over.
 *
 *   near ─▶ inner ─▶ upstream faults ───▶ inner ─▶ far
 *        ◀─       ◀─ downstream faults ◀─       ◀─
 */

import { Duplex } from "node:stream";

import { type PipeOptions, pipeWithFaults } from "./fault-pipe.ts";

/**
 * Both ends are half-open, hold the writer back, and emit an error when a fault resets them. If one end is destroyed,
 * the other one is too.
 *
 * @returns the client's end and the server's
 */
export function linkWithFaults(options: PipeOptions): [near: Duplex, far: Duplex] {
  const [near, nearInner] = createEnds();
  const [far, farInner] = createEnds();
  pipeWithFaults(nearInner, farInner, { ...options, stream: "upstream" });
  pipeWithFaults(farInner, nearInner, { ...options, stream: "downstream" });
  return [near, far];
}

/** Two ends without anything between them. Node's `duplexPair` leaves one end open when the other is destroyed. */
function createEnds(): [LinkEnd, LinkEnd] {
  const one = new LinkEnd();
  const other = new LinkEnd();
  one.peer = other;
  other.peer = one;
  return [one, other];
}

class LinkEnd extends Duplex {
  peer: LinkEnd | undefined;
  /** Tells the peer that what it wrote last has been read. */
  #confirm: (() => void) | undefined;

  override _read(): void {
    const confirm = this.#confirm;
    this.#confirm = undefined;
    confirm?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    if (this.peer === undefined || chunk.length === 0) return callback();
    this.peer.#confirm = callback;
    this.peer.push(chunk);
  }

  /** It has ended when the peer has read the end. Otherwise the destruction that follows could overtake it. */
  override _final(callback: () => void): void {
    this.peer?.once("end", callback);
    this.peer?.push(null);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error);
    const { peer } = this;
    if (!this.writableFinished || !this.readableEnded) process.nextTick(() => peer?.destroy(error ?? undefined));
  }

  // What Node's HTTP agent expects of a socket.

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
