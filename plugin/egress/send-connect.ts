/** Node as a client of an egress proxy: sends an HTTP CONNECT with an order, and reads its answer (RFC 9110 §9.3.6). */

import { once } from "node:events";
import type { Duplex } from "node:stream";

import {
  ESTABLISHED,
  type EgressFailure,
  FAILURE_HEADER,
  MUST_PROCEED,
} from "../../service-worker/routing/egress-protocol.ts";
import type { Field } from "./http/headers.ts";

/**
 * @param upstream emits `connect` when it has one. Afterwards, its next bytes are those of the far end
 * @param options `far`: what is at the far end, for messages
 * @returns why there is no connection
 * @throws {Error} if the proxy can't be reached, or ends without an answer
 */
export async function sendConnect(
  upstream: Duplex,
  { fields, far }: { fields: readonly Field[]; far: string },
): Promise<EgressFailure | undefined> {
  await once(upstream, "connect");
  const lines = fields.map(([name, value]) => `${name}: ${value}`);
  upstream.write(["CONNECT egress:1 HTTP/1.1", "Host: egress:1", ...lines, "", ""].join("\r\n"));
  let head = Buffer.alloc(0);
  while (!head.includes("\r\n\r\n")) {
    const piece = (upstream.read() as Buffer | null) ?? undefined;
    if (piece !== undefined) head = Buffer.concat([head, piece]);
    else if (upstream.readableEnded) throw new Error(`the process of ${far} has ended`);
    else await Promise.race([once(upstream, "readable"), once(upstream, "end")]);
  }
  const text = head.toString("latin1");
  if (text.startsWith(ESTABLISHED)) {
    const rest = head.subarray(ESTABLISHED.length);
    if (rest.length > 0) upstream.unshift(rest);
    return undefined;
  }
  if (text.startsWith(MUST_PROCEED)) return ONLY_WORKERD;
  const failure = new RegExp(`^${FAILURE_HEADER}: (.*)$`, "im").exec(text)?.[1];
  return failure === undefined
    ? { code: "proxy_internal_error", detail: `${far} is not there` }
    : (JSON.parse(failure) as EgressFailure);
}

const ONLY_WORKERD: EgressFailure = {
  code: "destination_unavailable",
  detail: "a Worker or a function of a test plays the origin, and only a VPC binding reaches those",
  hint: "Let the rule lead to an address, or to a function of Node.",
};
