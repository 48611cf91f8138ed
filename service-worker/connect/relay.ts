/**
 * Joins two sockets: each writes what the other reads. Each direction ends on its own (half-close), and the
 * streams' own backpressure applies.
 *
 *   caller ◀── inbound ──▶ relay ◀── upstream ──▶ target
 */

export interface Upstream {
  socket: Socket;
  /**
   * Stops counting the connection. Called when the target has ended and its bytes are read, or when the caller is gone;
   * possibly twice.
   */
  leave: () => void;
  /** Whether the connection counts towards a limit until `leave` is called. */
  isCounted: boolean;
  /** The target is a Worker. If its socket is closed early, it loses what it hasn't read yet. */
  isWorker?: true;
  /** Called at the end of the target's bytes. True: it was a reset. Absent if the socket itself fails then. */
  isBroken?: () => Promise<boolean>;
}

export interface RelayOptions {
  /** Fails a caller's stream, as a reset does. */
  breakOff: (writable: WritableStream) => Promise<void>;
  /** Resolves when the caller's bytes may be read. Never rejects. */
  taken: Promise<void>;
  /** If absent, the runtime pipes natively, which is faster: counting runs JavaScript for each piece. */
  counted?: Counted;
  /** Whether the caller has closed its whole socket, not just its half. If absent, its stream fails then. */
  isCallerGone?: () => boolean;
}

export interface Counted {
  /** Bytes from the caller. */
  sent: number;
  /** Bytes from the target. */
  received: number;
  /** The directions with so many bytes that the rest of them is not counted. */
  uncounted: Set<"sent" | "received">;
  /** Called when the target has ended and its bytes are read. */
  targetEnded: () => void;
  /** Called when both have ended, or the caller is gone and its bytes are out. */
  over: () => void;
}

/** Bytes to read at once. Most connections send less, and a large buffer takes long to make. */
const CHUNK = 16 * 1024;
/** Bytes to drop at once when there are many. */
const LARGE_CHUNK = 256 * 1024;

/** Bytes and pieces of each direction that are counted. After that, the runtime pipes natively. */
const COUNTED_BYTES = 256 * 1024;
const COUNTED_PIECES = 32;

/** Milliseconds that a target has to end once its caller is gone. A close at once might lose the last bytes. */
const LINGER = 1000;

/** Never rejects: each end sees on its own socket that the other one ended or failed. */
export async function relay(inbound: Socket, upstream: Upstream, options: RelayOptions): Promise<void> {
  const { counted, taken } = options;
  const down = sendDown(upstream, inbound, options).finally(() => {
    upstream.leave();
    counted?.targetEnded();
  });
  const up = taken.then(() => sendUp(inbound, upstream.socket, options));
  const isCallerGone = await Promise.race([
    // Both have ended, unless the caller is gone.
    up.then((isGone) => isGone || down.then(() => false)),
    // After a reset the target takes no more bytes, and the caller has seen the reset.
    down.then((isReset) => !isReset && up),
    // A Worker takes no more bytes after its handler has returned.
    ...(upstream.isWorker ? [Promise.all([down, whenClosed(upstream.socket)]).then(() => false)] : []),
  ]);
  upstream.leave();
  counted?.over();
  if (isCallerGone) await endWithin(LINGER, upstream.socket, down);
  if (upstream.isWorker) await Promise.race([whenClosed(upstream.socket), scheduler.wait(LINGER)]);
  await upstream.socket.close();
}

/** For a socket to a Worker, resolves when the Worker's handler has returned. */
export function whenClosed({ closed }: Socket): Promise<void> {
  return closed.catch(() => undefined);
}

async function endWithin(limit: number, { writable }: Socket, down: Promise<unknown>): Promise<void> {
  // The close fails if the target accepts no more, which is fine.
  await writable.close().catch(() => undefined);
  await Promise.race([down, scheduler.wait(limit)]);
}

/** @returns whether the caller has closed its whole socket, not just its half */
async function sendUp(
  inbound: Socket,
  { writable }: Socket,
  { counted, isCallerGone }: RelayOptions,
): Promise<boolean> {
  const { readable } = inbound;
  try {
    if (counted === undefined) await readable.pipeTo(writable, { preventAbort: true });
    else if (!(await count(readable, writable, { counted, direction: "sent" }))) {
      await readable.pipeTo(writable, { preventAbort: true, preventClose: true });
    }
    if (isCallerGone?.()) return true;
    if (counted !== undefined) await writable.close();
    return false;
  } catch {
    // The caller's stream failed, or the target accepts no more. Then the caller's next write fails, but the target may
    // still send.
    return cancel(readable);
  }
}

/** @returns whether the target reset the connection; the reset has been passed on */
async function sendDown(
  { socket, isBroken }: Upstream,
  inbound: Socket,
  { breakOff, counted, isCallerGone }: RelayOptions,
): Promise<boolean> {
  const { writable } = inbound;
  const { readable } = socket;
  try {
    if (counted === undefined || !(await count(readable, writable, { counted, direction: "received" }))) {
      await readable.pipeTo(writable, { preventClose: true, preventCancel: true });
    }
    const isReset = (await isBroken?.()) ?? false;
    if (isReset) await breakOff(writable);
    else await writable.close();
    return isReset;
  } catch {
    const isReset = await drain(readable);
    // A native pipe has already passed it on.
    const isNative = counted?.uncounted.has("received") ?? true;
    if (isReset && !isNative && !isCallerGone?.()) await breakOff(writable);
    return isReset;
  }
}

/** Call it after a pipe from the stream has failed. @returns whether the stream itself failed */
export function cancel(readable: ReadableStream): Promise<boolean> {
  return readable.cancel().then(
    () => false,
    () => true,
  );
}

/** @returns whether the stream has ended; otherwise its rest is not counted. @throws the error of the stream that failed */
async function count(
  readable: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  { counted, direction }: { counted: Counted; direction: "sent" | "received" },
): Promise<boolean> {
  const reader = readable.getReader({ mode: "byob" });
  const writer = writable.getWriter();
  let buffer = new ArrayBuffer(CHUNK);
  try {
    for (let pieces = 0; pieces < COUNTED_PIECES && counted[direction] < COUNTED_BYTES; pieces++) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) return true;
      counted[direction] += value.byteLength;
      await writer.write(value);
      ({ buffer } = value);
    }
  } finally {
    reader.releaseLock();
    writer.releaseLock();
  }
  counted.uncounted.add(direction);
  return false;
}

/**
 * Reads a stream to its end and drops the bytes. Pauses after each read: what a target of this machine sends without end
 * never has to be waited for, so that nothing else would run, timers included.
 *
 * @returns whether the stream failed
 */
export async function drain(readable: ReadableStream<Uint8Array>): Promise<boolean> {
  const reader = readable.getReader({ mode: "byob" });
  let size = CHUNK;
  try {
    for (;;) {
      const { done } = await reader.read(new Uint8Array(size));
      if (done) return false;
      size = LARGE_CHUNK;
      await scheduler.wait(1);
    }
  } catch {
    return true;
  } finally {
    reader.releaseLock();
  }
}
