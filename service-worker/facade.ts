/**
 * Makes `env.B` in a user's Worker: the native Fetcher, with a `connect` that reports whether it connected.
 * Has stubs of the service worker only, and never a handle of a network or a target.
 *
 *   const socket = await env.B.connect("db:5432")             rejects when there is no connection
 *   const socket = env.B.connect("db:5432"); await socket.opened    the same
 */

import { findProblem, formatEndpoint, isProblem, parsePort, splitEndpoint } from "./routing/address-text.ts";
import { makeConnectionId, markHost } from "./connection-id.ts";
import { countOpen } from "./open-connections.ts";
import type { ConnectOutcome } from "./connect-outcomes.ts";
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
      const { hostname, port } = parseAddress(address);
      checkOptions(options);
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

/** @throws {TypeError} that explains what is wrong with the address */
function parseAddress(address: unknown): { hostname: string; port: number } {
  if (typeof address === "string") {
    const endpoint = splitEndpoint(address);
    if (isProblem(endpoint)) {
      throw new TypeError(`connect(): the address ${JSON.stringify(address)} ${endpoint.problem}; write "host:port".`);
    }
    return { hostname: withoutBrackets(endpoint.host), port: endpoint.port };
  }
  if (typeof address !== "object" || address === null || !("hostname" in address) || !("port" in address)) {
    throw new TypeError('connect(): the address is neither "host:port" nor { hostname, port }.');
  }
  if (typeof address.hostname !== "string") {
    throw new TypeError(`connect(): the hostname is ${String(address.hostname)}, which is not a string.`);
  }
  const hostname = findProblem(address.hostname);
  if (hostname !== undefined) {
    throw new TypeError(`connect(): the hostname ${JSON.stringify(address.hostname)} ${hostname.problem}.`);
  }
  const port = parsePort(typeof address.port === "number" ? address.port : String(address.port));
  if (typeof port === "object") throw new TypeError(`connect(): the address ${port.problem}.`);
  return { hostname: withoutBrackets(address.hostname), port };
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

function checkOptions(options: SocketOptions | undefined): void {
  const transport: unknown = options?.secureTransport;
  if (transport !== undefined && transport !== "off") {
    throw new TypeError(
      `connect(): secureTransport is ${JSON.stringify(transport)}; a VPC binding supports plaintext TCP only, so leave it out or write "off".`,
    );
  }
}

/** Gives a native socket our `opened` and `closed`, and makes it awaitable once: a permanent thenable would never resolve. */
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
    // oxlint-disable-next-line unicorn/no-thenable
    then: {
      value: function then<T, U>(resolve: (socket: Socket) => T, reject: (error: unknown) => U): Promise<T | U> {
        return opened
          .then(() => {
            Reflect.deleteProperty(socket, "then");
            return { socket };
          })
          .then((settled) => resolve(settled.socket), reject);
      },
      configurable: true,
    },
  });
  return socket;
}

/** A caller may watch one of these promises and not the others. The others must not be unhandled rejections. */
function ignoreUnhandled(...promises: Promise<unknown>[]): void {
  for (const promise of promises) promise.catch(() => undefined);
}
