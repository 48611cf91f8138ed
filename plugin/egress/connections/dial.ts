/**
 * Opens a connection to a target's address or Unix socket. The name lookup has one time limit, the
 * connection another. Sends nothing.
 */

import { once } from "node:events";
import net from "node:net";
import type tls from "node:tls";

import { isLocalhostName } from "../../../service-worker/routing/address.ts";
import type { EgressFailure, EgressLimits, EgressTcpTarget } from "../../../service-worker/routing/egress-protocol.ts";
import { toError } from "../../system/error.ts";
import { EgressError, classify } from "../egress-error.ts";
import { lookupAt } from "./resolve.ts";

export type DialTarget = Exclude<EgressTcpTarget, { type: "function" }>;

/** Hears how a new connection comes about. */
export interface DialWatch {
  /** It has begun; the socket emits `lookup` and `connect`. */
  dialled: (socket: net.Socket, target: DialTarget) => void;
  /** Its TLS handshake is over, and the certificate is accepted. */
  secured: (socket: tls.TLSSocket) => void;
}

export interface DialOptions {
  limits: EgressLimits;
  /** Default: false; our half is closed as soon as the target closes its half. */
  allowHalfOpen?: boolean;
  /** Replaces the system's resolver if the target names no resolvers. */
  lookup?: net.LookupFunction;
  watch?: DialWatch | undefined;
  /** Takes what the target sends, in place of the socket's events. */
  onread?: net.OnReadOpts;
}

/**
 * `localhost` and the names below it are loopback, and no name server of the target is asked for them (RFC 6761 §6.3).
 * Tries every address of a name (RFC 8305), so `localhost` finds a server on `::1` as well as one on
 * `127.0.0.1`. Destroying the socket cancels the attempt. The socket does not keep the process alive.
 *
 * @returns a socket that emits `connect`, or `error` with an error for `classify`
 */
export function dial(target: DialTarget, options: DialOptions): net.Socket {
  const { limits, allowHalfOpen = false, watch, onread } = options;
  const socket = new TargetSocket({ allowHalfOpen, ...(onread && { onread }) });
  let timer: NodeJS.Timeout | undefined;
  const limit = (step: Step, timeout: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(timeoutError(target, { timeout, step })), timeout).unref();
  };
  let { lookup } = options;
  const isLocalhost = target.type === "address" && isLocalhostName(target.host);
  if (target.type === "unix" || net.isIP(target.host) !== 0) limit("connection", limits.connectTimeout);
  else if (target.resolvers?.length && !isLocalhost)
    lookup = lookupAt({ resolvers: target.resolvers, limits, signal: whenClosed(socket) });
  else limit("lookup", limits.dnsTimeout);
  socket.once("lookup", () => limit("connection", limits.connectTimeout));
  socket.once("connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
  socket.setNoDelay(true);
  watch?.dialled(socket, target);
  try {
    if (target.type === "unix") checkPath(target.path);
    socket.connect(
      target.type === "unix"
        ? { path: target.path }
        : {
            host: isLocalhost ? "localhost" : target.host,
            port: target.port,
            autoSelectFamily: true,
            ...(lookup && { lookup }),
          },
    );
  } catch (error) {
    // The system doesn't accept the address.
    socket.destroy(toError(error));
  }
  socket.unref();
  return socket;
}

/** The longest path of a Unix socket, in bytes: unix(7), and macOS's unix(4). */
const MAX_PATH = process.platform === "darwin" ? 103 : 107;

/** @throws {EgressError} `destination_unavailable` */
function checkPath(socketPath: string): void {
  const length = Buffer.byteLength(socketPath);
  if (length <= MAX_PATH || process.platform === "win32") return;
  throw new EgressError({
    code: "destination_unavailable",
    detail: `the path of the Unix socket ${socketPath} has ${length} bytes, but this system takes at most ${MAX_PATH}`,
    hint: "Move the socket to a shorter path, or reach its folder through a short symbolic link.",
  });
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
 * A target may answer and hang up while we still write to it: an early 413, or a database's
 * "too many connections". A plain socket fails with the write and loses that answer. This one
 * reads to the end first, then fails.
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

/** What took too long. A connection goes through these steps in this order. */
type Step = "lookup" | "connection" | "handshake";

/** How the text of a handshake timeout begins. */
export const NO_HANDSHAKE = "no TLS handshake with";

export function timeoutError(target: DialTarget, { timeout, step }: { timeout: number; step: Step }): Error {
  const where = describeTarget(target);
  const words: Record<Step, string> = {
    lookup: `no name server answered for ${where}`,
    connection: `no connection to ${where}`,
    handshake: `${NO_HANDSHAKE} ${where}`,
  };
  // The system uses the same codes for its own timeouts: of a name server, of a connection.
  const code = step === "lookup" ? "ETIMEOUT" : "ETIMEDOUT";
  return Object.assign(new Error(`${words[step]} within ${Math.round(timeout)} ms`), { code });
}

export function describeTarget(target: DialTarget): string {
  return target.type === "unix" ? target.path : `${target.host} port ${target.port}`;
}
