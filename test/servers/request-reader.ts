/**
 * Splits the bytes of a connection into HTTP/1.1 requests as they arrive. Only knows framing, and accepts invalid
 * requests.
 */

export interface ReceivedRequest {
  /** The request line and fields with their line breaks, without the empty line, one character per byte. */
  head: string;
  /** The body, with joined chunks. */
  body: Buffer;
  /** The fields after the last chunk, with their line breaks. */
  trailers: string;
  isComplete: boolean;
}

export interface RequestEvents {
  onHead: (request: ReceivedRequest) => void;
  onEnd: (request: ReceivedRequest) => void;
}

/** @returns a function that takes the next bytes, and keeps incomplete ones */
export function createRequestReader({ onHead, onEnd }: RequestEvents): (bytes: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  const steps = readRequests();
  steps.next();

  /** RFC 9112 §6. Yields when it needs more bytes. */
  function* readRequests(): Generator<undefined, never> {
    for (;;) {
      const request: ReceivedRequest = { head: "", body: Buffer.alloc(0), trailers: "", isComplete: false };
      request.head = (yield* readUntil("\r\n\r\n")).slice(0, -2);
      onHead(request);
      if (/^transfer-encoding: *chunked/im.test(request.head)) yield* readChunks(request);
      else
        request.body = Buffer.concat(
          yield* readBytes(Number(/^content-length: *(\d+)/im.exec(request.head)?.[1] ?? 0)),
        );
      request.isComplete = true;
      onEnd(request);
    }
  }

  /** RFC 9112 §7.1. */
  function* readChunks(request: ReceivedRequest): Generator<undefined, void> {
    const parts: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(yield* readUntil("\r\n"), 16);
      if (size === 0) break;
      parts.push(...(yield* readBytes(size)));
      yield* readUntil("\r\n");
    }
    request.body = Buffer.concat(parts);
    for (;;) {
      const line = yield* readUntil("\r\n");
      if (line === "\r\n") return;
      request.trailers += line;
    }
  }

  function* readUntil(end: string): Generator<undefined, string> {
    for (;;) {
      const index = pending.indexOf(end);
      if (index !== -1) return take(index + end.length).toString("latin1");
      yield;
    }
  }

  /** @returns the pieces as they arrived, because joining each would take quadratic time */
  function* readBytes(count: number): Generator<undefined, Buffer[]> {
    const parts: Buffer[] = [];
    for (let remaining = count; remaining > 0;) {
      if (pending.length === 0) yield;
      const part = take(remaining);
      parts.push(part);
      remaining -= part.length;
    }
    return parts;
  }

  function take(count: number): Buffer {
    const taken = pending.subarray(0, count);
    pending = pending.subarray(count);
    return taken;
  }

  return (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    steps.next();
  };
}
