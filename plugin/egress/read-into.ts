/**
 * Copies what a socket receives, with one buffer that it reads into again and again. Node's own `pipe` makes a new one for each
 * 64 KiB, which takes twice the CPU time (docs/performance.md, "The egress proxy").
 */

import type { OnReadOpts, Socket } from "node:net";

/** Bytes. Most answers fit, and there may be a thousand connections. */
const SMALL = 16 * 1024;
/** For as long as reads fill it. */
const LARGE = 256 * 1024;

/**
 * For a socket's `onread`. The socket emits no data, and `pipe` from it passes on its end only.
 *
 * @param resume resumes reading, which pauses until `to` has taken what was read
 */
export function readInto(to: Socket, resume: () => void): OnReadOpts {
  let buffer = Buffer.allocUnsafeSlow(SMALL);
  return {
    // Node asks again after each read.
    buffer: () => buffer,
    callback(length, read) {
      let isPaused = false;
      to.write(read.subarray(0, length), () => isPaused && resume());
      isPaused = to.writableLength > 0;
      const size = length === buffer.length ? LARGE : length <= SMALL ? SMALL : buffer.length;
      if (size !== buffer.length) buffer = Buffer.allocUnsafeSlow(size);
      return !isPaused;
    },
  };
}
