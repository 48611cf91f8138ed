/**
 * How a request or a connection travels once it is decided where: which way out of the service worker, and
 * whether TLS is spoken. Pure: `http.ts` and `tcp.ts` act on it, `explain` prints it.
 */

import { isLiteralHost, isProblem, parseHost } from "./address.ts";
import type { Destination } from "./decide.ts";
import type { EgressTarget, EgressTls } from "./egress-protocol.ts";
import type { ForwardTarget } from "./forward-target.ts";
import { DEFAULT_PORT, type Limits, type Scheme, type TlsPolicy } from "./table.ts";

/** What a `fetch()` asks for. */
export function destinationOf(url: URL): Destination {
  const scheme = schemeOf(url);
  return { scheme, host: url.hostname, port: url.port === "" ? DEFAULT_PORT[scheme] : Number(url.port) };
}

function schemeOf(url: URL): Scheme {
  return url.protocol === "https:" ? "https" : "http";
}

/** @returns undefined where the target is spoken to in plain HTTP */
export function tlsFor(url: URL, to: ForwardTarget, policy: TlsPolicy): EgressTls | undefined {
  if (to.type === "function" || to.type === "worker") return undefined;
  const scheme = (to.type === "address" ? to.scheme : undefined) ?? schemeOf(url);
  if (scheme === "http") return undefined;
  const host = parseHost(url.hostname);
  return { ...policy, hostName: isProblem(host) ? url.hostname : host.text };
}

/** What the egress proxy is told of a target: not the scheme, which the URL's and the policy have become TLS or none. */
export function toEgressTarget(to: Exclude<ForwardTarget, { type: "worker" }>): EgressTarget {
  if (to.type !== "address") return to;
  const { type, host, port, resolvers } = to;
  return { type, host, port, ...(resolvers && { resolvers }) };
}

/** Whether workerd's own client can send a request to this target, if it was known when the runtime started. */
export function mayGoDirectly(
  to: ForwardTarget,
  { tls, limits }: { tls: EgressTls | undefined; limits: Limits },
): to is ForwardTarget & { type: "address" } {
  return to.type === "address" && tls === undefined && !needsEgress(limits);
}

/** workerd's own client has none of these limits. */
function needsEgress({ readTimeout, writeTimeout, connectionLimit }: Limits): boolean {
  return (readTimeout ?? writeTimeout ?? connectionLimit) !== undefined;
}

/**
 * Whether the service worker dials a TCP target itself: workerd prints a native stack for a name that does not
 * resolve, and for a Unix socket that isn't there.
 */
export function mayDialDirectly<T extends EgressTarget | ForwardTarget>(
  target: T,
  { connectionLimit }: Limits,
): target is Extract<T, { type: "address" }> {
  return target.type === "address" && isLiteralHost(target.host) && connectionLimit === undefined;
}
