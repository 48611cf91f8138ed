/**
 * The origin's end of a TCP connection that a function of a vitest test plays. It travels as a request and its response,
 * because every workerd passes their bodies over RPC whole, even after the call has returned.
 */

import type { ConnectContext } from "./port.ts";

/** What the function gets, as it travels. `request`: its body is what the Worker sends. */
export interface PlayedConnection {
  request: Request;
  address: string;
  exchangeId: string;
}

/**
 * @param options `failed`: awaited when the function has thrown, before the connection breaks. The runtime may make a clean end of it.
 * @returns a response whose body is what the function sends
 */
export function playConnection(
  { request, address }: PlayedConnection,
  {
    connect,
    failed,
  }: { connect: (context: ConnectContext) => Promise<void>; failed: (error: unknown) => Promise<void> },
): Response {
  const { readable, writable, breakOff } = openPipe();
  const received = request.body ?? new Response("").body;
  if (received === null) throw new TypeError("a connection has no body");
  connect({ readable: received, writable, address }).catch(async (error: unknown) => {
    try {
      await failed(error);
    } finally {
      breakOff(error);
    }
  });
  return new Response(readable);
}

interface Pipe {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<Uint8Array>;
  /** Also while a writer has locked it. */
  breakOff: (error: unknown) => void;
}

function openPipe(): Pipe {
  let wanted = Promise.withResolvers<void>();
  const { promise, resolve } = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  const readable = new ReadableStream<Uint8Array>(
    {
      start: resolve,
      pull: () => wanted.resolve(),
      cancel: (reason) => wanted.reject(reason),
    },
    { highWaterMark: 0 },
  );
  const breakOff = async (error: unknown): Promise<void> => (await promise).error(error);
  const writable = new WritableStream<Uint8Array>({
    async write(chunk) {
      await wanted.promise;
      wanted = Promise.withResolvers();
      (await promise).enqueue(chunk);
    },
    close: async () => (await promise).close(),
    abort: breakOff,
  });
  return { readable, writable, breakOff: (error) => void breakOff(error) };
}
