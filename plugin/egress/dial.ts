/**
 * Opens a connection to an address or a unix socket of a target, within one time limit for the name
 * lookup and another for what follows it. Says nothing over it.
 */

import { once } from "node:events";
import net from "node:net";

import type { EgressFailure, EgressLimits, EgressTarget } from "../../service-worker/egress-protocol.ts";
import { classify } from "./failure.ts";
import { lookupAt } from "./resolve.ts";

export type DialTarget = Exclude<EgressTarget, { type: "function" }>;

export interface DialOptions {
  limits: EgressLimits;
  /** Default: false; our half is closed as soon as the target closes its half. */
  allowHalfOpen?: boolean;
  /** In place of the system's resolver, where the target names no resolvers. */
  lookup?: net.LookupFunction;
}

/**
 * A name with several addresses is tried on each of them (RFC 8305), so `localhost` finds a server on
 * `::1` as well as one on `127.0.0.1`. Destroying the socket gives the attempt up. The socket does not
 * keep the process alive.
 *
 * @returns a socket that emits `connect`, or `error` with an error for `classify`
 */
export function dial(target: DialTarget, options: DialOptions): net.Socket {
  const { limits, allowHalfOpen = false } = options;
  const socket = new TargetSocket({ allowHalfOpen });
  let timer: NodeJS.Timeout | undefined;
  const limit = (step: Step, timeout: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(timeoutError(target, { timeout, step })), timeout).unref();
  };
  let { lookup } = options;
  if (target.type === "unix" || net.isIP(target.host) !== 0) limit("connection", limits.connectTimeout);
  else if (target.resolvers?.length)
    lookup = lookupAt({ resolvers: target.resolvers, limits, signal: whenClosed(socket) });
  else limit("lookup", limits.dnsTimeout);
  socket.once("lookup", () => limit("connection", limits.connectTimeout));
  socket.once("connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
  socket.setNoDelay(true);
  socket.connect(
    target.type === "unix"
      ? { path: target.path }
      : { host: target.host, port: target.port, autoSelectFamily: true, ...(lookup && { lookup }) },
  );
  socket.unref();
  return socket;
}

function whenClosed(socket: net.Socket): AbortSignal {
  const abort = new AbortController();
  socket.once("close", () => abort.abort());
  return abort.signal;
}

/** Dials and hangs up. @returns why the target can't be reached, or null if it accepted */
export async function probe(target: DialTarget, options: DialOptions): Promise<EgressFailure | null> {
  const socket = dial(target, options);
  try {
    await once(socket, "connect");
    return null;
  } catch (error) {
    return classify(error);
  } finally {
    socket.destroy();
  }
}

const HUNG_UP = new Set(["EPIPE", "ECONNRESET", "ECONNABORTED"]);

/**
 * A target may answer and hang up while it is still being written to: an early 413, or a database's
 * "too many connections". A plain socket dies of the failed write with that answer unread; this one
 * reads to the end first and fails then.
 */
class TargetSocket extends net.Socket {
  #isPostponed = false;

  override _write(chunk: unknown, encoding: BufferEncoding, callback: WriteCallback): void {
    // oxlint-disable-next-line no-underscore-dangle -- the platform's name
    super._write(chunk, encoding, (error) => callback(this.#postpone(error)));
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], callback: WriteCallback): void {
    // oxlint-disable-next-line no-underscore-dangle -- the platform's name
    super._writev?.(chunks, (error) => callback(this.#postpone(error)));
  }

  #postpone(error: NodeJS.ErrnoException | null | undefined): Error | null {
    if (!error) return null;
    if (this.readableEnded || !HUNG_UP.has(error.code ?? "")) return error;
    if (!this.#isPostponed) this.once("end", () => this.destroy(error));
    this.#isPostponed = true;
    return null;
  }
}

type WriteCallback = (error?: Error | null) => void;

/** What has taken too long: a connection is made in this order. */
type Step = "lookup" | "connection" | "handshake";

export function timeoutError(target: DialTarget, { timeout, step }: { timeout: number; step: Step }): Error {
  const where = describeTarget(target);
  const words: Record<Step, string> = {
    lookup: `no name server answered for ${where}`,
    connection: `no connection to ${where}`,
    handshake: `no TLS handshake with ${where}`,
  };
  // The codes are those of the system's own timeouts: of a name server, of a connection.
  const code = step === "lookup" ? "ETIMEOUT" : "ETIMEDOUT";
  return Object.assign(new Error(`${words[step]} within ${Math.round(timeout)} ms`), { code });
}

export function describeTarget(target: DialTarget): string {
  return target.type === "unix" ? target.path : `${target.host} port ${target.port}`;
}
