/**
 * Bytes that pass in one direction: how many, and those of them that are kept.
 */

import { EventEmitter } from "node:events";

/** One direction of bytes. */
export class Capture {
  /** Bytes that passed, also those that were not kept. */
  size = 0;
  isTruncated = false;
  isEnded = false;
  /** Bytes that are kept. */
  kept = 0;
  #isForgotten = false;
  #chunks: Buffer[] = [];
  readonly #changed = new EventEmitter();

  /** @returns the bytes that are kept of it */
  add(chunk: Uint8Array, limit: number): number {
    this.size += chunk.byteLength;
    const room = this.#isForgotten ? 0 : Math.max(0, limit - this.kept);
    // A copy, because the sender may use its buffer again.
    const part = Buffer.from(chunk.subarray(0, room));
    if (part.length < chunk.byteLength) this.isTruncated = true;
    if (part.length > 0) this.#chunks.push(part);
    this.kept += part.length;
    return part.length;
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#changed.emit("end");
  }

  /** Forgets the bytes, but not how many there were. Keeps no later ones. */
  forget(): void {
    this.#isForgotten = true;
    if (this.kept > 0) this.isTruncated = true;
    this.#chunks = [];
    this.kept = 0;
  }

  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Resolves when no more bytes come. */
  ended(): Promise<void> {
    if (this.isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      this.#changed.once("end", resolve);
    });
  }
}
