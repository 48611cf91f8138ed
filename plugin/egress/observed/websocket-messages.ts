/**
 * Reads the messages out of one direction of a WebSocket as its bytes pass (RFC 6455 §5), also compressed ones (RFC 7692).
 * Changes nothing, and gives up on bytes that are no frames.
 */

import { constants, inflateRawSync } from "node:zlib";

export interface MessageHearing {
  /** Whether the server has accepted permessage-deflate. */
  isDeflated: boolean;
  /** @param opcode 1: text, 2: binary, 8: close, 9: ping, 10: pong */
  message: (opcode: number, data: Buffer) => void;
  /** A message is longer than `MAX_MESSAGE`, or can't be read. */
  lost: () => void;
}

/** Bytes. */
export const MAX_MESSAGE: number = 64 * 1024 * 1024;

/** RFC 7692 §7.2.2: what a sender leaves out at the end of each message. */
const DEFLATE_TAIL = Buffer.from([0, 0, 255, 255]);
const DEFLATE_WINDOW = 32 * 1024;

interface Frame {
  isLast: boolean;
  isCompressed: boolean;
  opcode: number;
  length: number;
  mask: Buffer | undefined;
}

/** @returns a function that takes each piece of the direction, in order */
export function createMessageReader({ isDeflated, message, lost }: MessageHearing): (chunk: Buffer) => void {
  let queue: Buffer[] = [];
  let queued = 0;
  let frame: Frame | undefined;
  /** Of a frame that is too long. */
  let toSkip = 0;
  let isOver = false;
  let fragments: { opcode: number; isCompressed: boolean; size: number; parts: Buffer[] } | undefined;
  let window: Buffer = Buffer.alloc(0);

  const take = (length: number): Buffer => {
    const all = queue.length === 1 ? queue[0] : Buffer.concat(queue);
    queue = all === undefined || all.length === length ? [] : [all.subarray(length)];
    queued -= length;
    return all?.subarray(0, length) ?? Buffer.alloc(0);
  };
  const giveUp = (): void => {
    isOver = true;
    queue = [];
    lost();
  };
  const finish = ({ opcode, isCompressed, parts, size }: NonNullable<typeof fragments>): void => {
    if (size > MAX_MESSAGE) return lost();
    const data = Buffer.concat(parts);
    if (!isCompressed) return message(opcode, data);
    const inflated = inflate(data, window);
    window = Buffer.concat([window, inflated]).subarray(-DEFLATE_WINDOW);
    message(opcode, inflated);
  };
  const hear = ({ opcode, isLast, isCompressed, mask, length }: Frame, payload: Buffer): void => {
    const data = mask === undefined ? payload : unmask(payload, mask);
    // A control frame may come between the fragments of a message (§5.4).
    if (opcode >= 8) return message(opcode, Buffer.from(data));
    fragments ??= { opcode, isCompressed, size: 0, parts: [] };
    fragments.size += length;
    if (fragments.size <= MAX_MESSAGE) fragments.parts.push(Buffer.from(data));
    if (!isLast) return;
    const whole = fragments;
    fragments = undefined;
    finish(whole);
  };
  const step = (): boolean => {
    if (toSkip > 0) {
      toSkip -= take(Math.min(toSkip, queued)).length;
      if (toSkip > 0 || frame === undefined) return false;
      hear(frame, Buffer.alloc(0));
      frame = undefined;
      return true;
    }
    if (frame === undefined) {
      const head = readHead(queue, queued);
      if (head === undefined) return false;
      take(head.size);
      ({ frame } = head);
      if (frame.isCompressed && !isDeflated) throw new Error("a frame is compressed, although nobody agreed to that");
      if (frame.length > MAX_MESSAGE) toSkip = frame.length;
      return true;
    }
    if (queued < frame.length) return false;
    const complete = frame;
    frame = undefined;
    hear(complete, take(complete.length));
    return true;
  };
  return (chunk) => {
    if (isOver) return;
    queue.push(chunk);
    queued += chunk.length;
    try {
      while (step());
    } catch {
      giveUp();
    }
  };
}

/** @returns undefined if it has not arrived as a whole */
function readHead(queue: readonly Buffer[], queued: number): { frame: Frame; size: number } | undefined {
  const [first = Buffer.alloc(0)] = queue;
  const bytes = first.length >= MAX_HEAD ? first : Buffer.concat(queue);
  if (queued < 2) return undefined;
  const [flags = 0, lengths = 0] = bytes;
  const short = lengths & 0x7f;
  const lengthSize = short === 126 ? 2 : short === 127 ? 8 : 0;
  const isMasked = (lengths & 0x80) !== 0;
  const size = 2 + lengthSize + (isMasked ? 4 : 0);
  if (queued < size) return undefined;
  const length = lengthSize === 0 ? short : lengthSize === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return {
    frame: {
      isLast: (flags & 0x80) !== 0,
      isCompressed: (flags & 0x40) !== 0,
      opcode: flags & 0x0f,
      length,
      mask: isMasked ? Buffer.from(bytes.subarray(size - 4, size)) : undefined,
    },
    size,
  };
}

const MAX_HEAD = 14;

function unmask(payload: Buffer, mask: Buffer): Buffer {
  const data = Buffer.from(payload);
  for (let index = 0; index < data.length; index++) data[index] = (data[index] ?? 0) ^ (mask[index & 3] ?? 0);
  return data;
}

/** @param window what the messages before it ended with, which it may refer to */
function inflate(data: Buffer, window: Buffer): Buffer {
  return inflateRawSync(Buffer.concat([data, DEFLATE_TAIL]), {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: MAX_MESSAGE,
    ...(window.length > 0 && { dictionary: window }),
  });
}
