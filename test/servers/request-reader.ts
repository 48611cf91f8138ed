/**
 * Splits the octets of a connection into HTTP/1.1 requests, as they come in. Not a parser to trust:
 * it knows framing and nothing else, and takes what it is given.
 */

export interface ReceivedRequest {
  /** Request line and fields with their line breaks, without the empty line; one character an octet. */
  head: string;
  /** The body, chunks joined. */
  body: Buffer;
  /** Fields behind the last chunk, with their line breaks. */
  trailers: string;
  isComplete: boolean;
}

export interface RequestEvents {
  onHead: (request: ReceivedRequest) => void;
  onEnd: (request: ReceivedRequest) => void;
}

/** @returns takes the next octets; what is not complete yet waits for more */
export function createRequestReader({ onHead, onEnd }: RequestEvents): (octets: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  const steps = readRequests();
  steps.next();

  /** RFC 9112 §6. Yields whenever it takes more octets to go on. */
  function* readRequests(): Generator<undefined, never> {
    for (;;) {
      const request: ReceivedRequest = { head: "", body: Buffer.alloc(0), trailers: "", isComplete: false };
      request.head = (yield* readUntil("\r\n\r\n")).slice(0, -2);
      onHead(request);
      if (/^transfer-encoding: *chunked/im.test(request.head)) yield* readChunks(request);
      else
        request.body = Buffer.concat(
          yield* readOctets(Number(/^content-length: *(\d+)/im.exec(request.head)?.[1] ?? 0)),
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
      parts.push(...(yield* readOctets(size)));
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

  /** In the pieces they came in: joining them again and again would take quadratic time. */
  function* readOctets(count: number): Generator<undefined, Buffer[]> {
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

  return (octets) => {
    pending = pending.length === 0 ? octets : Buffer.concat([pending, octets]);
    steps.next();
  };
}
