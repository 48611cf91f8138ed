/**
 * What `env.B` is in a user's Worker: the native Fetcher, with a `connect` that keeps its promise.
 * Holds stubs of the service worker only; never a handle on a network or a target.
 *
 *   const socket = await env.B.connect("db:5432")             rejects when there is no connection
 *   const socket = env.B.connect("db:5432"); await socket.opened    the same
 */

import { findProblem, isProblem, parsePort, splitEndpoint } from "./address-text.ts";
import { makeConnectionId, markHost } from "./connection-id.ts";
import type { Outcome } from "./outcomes.ts";
import { proxyErrorMessage } from "./proxy-error.ts";

/** Inner bindings of the wrapped binding, made by the plugin. */
export interface FacadeEnv {
  binding: Fetcher;
  outcomes: { of(connectionId: string): Promise<Outcome> };
}

export default function makeBinding({ binding, outcomes }: FacadeEnv): Fetcher {
  const nativeConnect = binding.connect.bind(binding);
  Object.defineProperty(binding, "connect", {
    value: function connect(address: unknown, options?: SocketOptions): Socket {
      const { hostname, port } = parseAddress(address);
      checkOptions(options);
      const connectionId = makeConnectionId();
      const marked = markHost(connectionId, hostname);
      if (marked === undefined) return nativeConnect({ hostname, port }, options);
      const outcome = outcomes.of(connectionId);
      const socket = nativeConnect({ hostname: marked, port }, options);
      return withOutcome(socket, {
        outcome,
        remoteAddress: `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
      });
    },
    configurable: true,
    writable: true,
  });
  return binding;
}

/** @throws {TypeError} in words */
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
      `connect(): secureTransport is ${JSON.stringify(transport)}; a VPC binding carries plaintext TCP only, so leave it out or write "off".`,
    );
  }
}

/** Gives a native socket our `opened` and `closed`, and makes it awaitable: once, for a thenable resolves forever. */
function withOutcome(
  socket: Socket,
  { outcome, remoteAddress }: { outcome: Promise<Outcome>; remoteAddress: string },
): Socket {
  const opened = outcome.then((result): SocketInfo => {
    if (result.type === "failed") throw new Error(proxyErrorMessage(result.code));
    return { remoteAddress };
  });
  const nativeClosed = socket.closed;
  const closed = opened.then(() => nativeClosed);
  ignoreUnhandled(opened, closed, nativeClosed);
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

/** A caller may watch one of these promises and not the others; those are no unhandled rejections. */
function ignoreUnhandled(...promises: Promise<unknown>[]): void {
  for (const promise of promises) promise.catch(() => undefined);
}
