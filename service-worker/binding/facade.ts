/**
 * Makes `env.B` in a user's Worker: the native Fetcher, with a `connect` that reports whether it connected.
 * Has stubs of the service worker only, and never a handle of a network or a target.
 *
 *   const socket = await env.B.connect("db:5432")             rejects when there is no connection
 *   const socket = env.B.connect("db:5432"); await socket.opened    the same
 */

import { formatEndpoint } from "../routing/address-text.ts";
import { ignoreUnhandled, makeAwaitable } from "../routing/awaitable.ts";
import { checkConnectOptions, parseConnectAddress } from "../routing/connect-address.ts";
import { makeConnectionId, markHost, markQuestion } from "../connect/connection-id.ts";
import { countOpen } from "./open-connections.ts";
import { awaitOutcome, knock } from "../connect/knock.ts";
import { readStart } from "../read-start.ts";
import { type ProxyErrorCode, proxyErrorMessage } from "../routing/error-codes.ts";

/** The inner binding of the wrapped binding, which the plugin makes. */
export interface FacadeEnv {
  binding: Fetcher;
}

/** Bytes. No code is longer. */
const MAX_CODE = 64;

export default function makeBinding({ binding }: FacadeEnv): Fetcher {
  const nativeConnect = binding.connect.bind(binding);
  Object.defineProperty(binding, "connect", {
    value: function connect(address: unknown, options?: SocketOptions): Socket {
      const { hostname, port } = parseConnectAddress(address);
      checkConnectOptions(options);
      const connectionId = makeConnectionId();
      const { marked, ahead } = markHost(connectionId, hostname);
      const socket = nativeConnect({ hostname: marked, port }, options);
      const ask = (): Promise<string> => {
        const { readable } = nativeConnect({ hostname: markQuestion(connectionId), port: 1 });
        return readStart(readable, MAX_CODE);
      };
      const opened = awaitOutcome(knock(socket, ahead), ask).then((code): SocketInfo => {
        if (code !== "") throw new Error(proxyErrorMessage(code as ProxyErrorCode));
        return { remoteAddress: formatEndpoint(hostname, port) };
      });
      return withOutcome(socket, opened);
    },
    configurable: true,
    writable: true,
  });
  return binding;
}

/** Gives a native socket our `opened`, `closed` and `close`, and makes it awaitable. */
function withOutcome(socket: Socket, opened: Promise<SocketInfo>): Socket {
  const { writable, closed: nativeClosed } = socket;
  const nativeClose = socket.close.bind(socket);
  let isOpen = false;
  let mayHaveWritten = false;
  const closed = opened.then(() => {
    isOpen = true;
    return nativeClosed;
  });
  ignoreUnhandled(opened, closed, nativeClosed);
  countOpen(closed);
  const close = async (): Promise<void> => {
    const closing = nativeClose();
    // It waits until everything is written, the knock too. Without a look at `writable`, nothing else was written.
    if (isOpen || mayHaveWritten) await closing;
    else ignoreUnhandled(closing);
  };
  const getWritable = (): WritableStream => {
    mayHaveWritten = true;
    return writable;
  };
  Object.defineProperties(socket, {
    writable: { get: getWritable, configurable: true },
    opened: { value: opened, configurable: true },
    closed: { value: closed, configurable: true },
    close: { value: close, configurable: true },
  });
  return makeAwaitable(socket, opened);
}
