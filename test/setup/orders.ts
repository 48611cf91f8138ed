/** Which orders reach the egress proxy of this process: a request on a lane or in workerd's own client is none of them. */

import diagnostics from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";

import { type EgressOrder, ORDER_HEADER } from "../../service-worker/routing/egress-protocol.ts";

const BEGUN = "http.server.request.start";

/** @returns the `op` of each order from now on */
export function watchOrders(): { ops: EgressOrder["op"][] } & Disposable {
  const ops: EgressOrder["op"][] = [];
  const listen = (message: unknown): void => {
    const order = (message as { request: IncomingMessage }).request.headers[ORDER_HEADER];
    if (typeof order === "string") ops.push((JSON.parse(order) as EgressOrder).op);
  };
  diagnostics.subscribe(BEGUN, listen);
  return { ops, [Symbol.dispose]: () => void diagnostics.unsubscribe(BEGUN, listen) };
}
