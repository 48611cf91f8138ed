/**
 * Makes `env.B` in a user's Worker: the native Fetcher, with a `connect` that reports whether it connected.
 * Has stubs of the service worker only, and never a handle of a network or a target.
 *
 *   const socket = await env.B.connect("db:5432")             rejects when there is no connection
 *   const socket = env.B.connect("db:5432"); await socket.opened    the same
 */

import { formatEndpoint } from "./routing/address-text.ts";
import { ignoreUnhandled, makeAwaitable } from "./routing/awaitable.ts";
import { checkConnectOptions, parseConnectAddress } from "./routing/connect-address.ts";
import { makeConnectionId, markHost } from "./connection-id.ts";
import { countOpen } from "./open-connections.ts";
import type { ConnectOutcome } from "./routing/egress-protocol.ts";
import { proxyErrorMessage } from "./routing/error-codes.ts";

/** The inner bindings of the wrapped binding, which the plugin makes. */
export interface FacadeEnv {
  binding: Fetcher;
  outcomes: { of(connectionId: string, host?: string): Promise<ConnectOutcome> };
}

export default function makeBinding({ binding, outcomes }: FacadeEnv): Fetcher {
  const nativeConnect = binding.connect.bind(binding);
  Object.defineProperty(binding, "connect", {
    value: function connect(address: unknown, options?: SocketOptions): Socket {
      const { hostname, port } = parseConnectAddress(address);
      checkConnectOptions(options);
      const connectionId = makeConnectionId();
      const { marked, isElsewhere } = markHost(connectionId, hostname);
      const outcome = isElsewhere ? outcomes.of(connectionId, hostname) : outcomes.of(connectionId);
      const socket = nativeConnect({ hostname: marked, port }, options);
      return withOutcome(socket, { outcome, remoteAddress: formatEndpoint(hostname, port) });
    },
    configurable: true,
    writable: true,
  });
  return binding;
}

/** Gives a native socket our `opened` and `closed`, and makes it awaitable. */
function withOutcome(
  socket: Socket,
  { outcome, remoteAddress }: { outcome: Promise<ConnectOutcome>; remoteAddress: string },
): Socket {
  const opened = outcome.then((result): SocketInfo => {
    if (result.type === "failed") throw new Error(proxyErrorMessage(result.code));
    return { remoteAddress };
  });
  const nativeClosed = socket.closed;
  const closed = opened.then(() => nativeClosed);
  ignoreUnhandled(opened, closed, nativeClosed);
  countOpen(closed);
  Object.defineProperties(socket, {
    opened: { value: opened, configurable: true },
    closed: { value: closed, configurable: true },
  });
  return makeAwaitable(socket, opened);
}
