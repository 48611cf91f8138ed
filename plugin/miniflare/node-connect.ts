/**
 * `connect()` of a binding in Node. Miniflare's own proxy shows a refused connection as an open socket without bytes, and
 * its streams block the process; this socket is a real one.
 *
 *   connectInNode ── request ──▶ service worker ── decide, dial ──▶ target
 *   node-socket.ts ◀── bytes ─── egress proxy ◀── CONNECT ──┘
 */

import {
  type ConnectOutcome,
  NODE_CONNECTION_HEADER,
  type NodeConnection,
  toHeader,
} from "../../service-worker/routing/egress-protocol.ts";
import { formatEndpoint } from "../../service-worker/routing/address-text.ts";
import {
  type ConnectAddress,
  checkConnectOptions,
  parseConnectAddress,
} from "../../service-worker/routing/connect-address.ts";
import { proxyErrorMessage } from "../../service-worker/routing/error-codes.ts";
import type { NodeSocket } from "../egress/node-sockets.ts";
import { egressProxy } from "../egress/server.ts";
import type { ProxyFetch } from "./node-fetch.ts";
import { type ConnectedSocket, makeSocket } from "./node-socket.ts";

/**
 * @param proxyFetch of the same binding
 * @throws {TypeError} if the address or the options are wrong; a refusal rejects `opened`, as in a Worker
 */
export function connectInNode(
  proxyFetch: ProxyFetch,
  [address, options]: [unknown, { allowHalfOpen?: boolean; secureTransport?: unknown }?],
): ConnectedSocket {
  const to = parseConnectAddress(address);
  checkConnectOptions(options);
  return makeSocket(open(proxyFetch, to), {
    remoteAddress: formatEndpoint(to.hostname, to.port),
    allowHalfOpen: options?.allowHalfOpen ?? false,
  });
}

async function open(proxyFetch: ProxyFetch, to: ConnectAddress): Promise<NodeSocket> {
  const { secret, nodeSockets } = await egressProxy();
  using expected = nodeSockets.expect();
  const connection: NodeConnection = { ...to, secret, socketId: expected.socketId };
  try {
    const answer = await proxyFetch("http://connect/", { headers: { [NODE_CONNECTION_HEADER]: toHeader(connection) } });
    const outcome = (await answer.json()) as ConnectOutcome;
    if (outcome.type === "failed") throw new Error(proxyErrorMessage(outcome.code));
  } catch (error) {
    // The service worker may have brought it before it knew.
    void expected.socket.then(({ duplex }) => duplex.destroy());
    throw error;
  }
  return await expected.socket;
}
