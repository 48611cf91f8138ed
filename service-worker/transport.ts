/**
 * How a request or a connection travels once it is decided where: which way out of the service worker, and
 * whether TLS is spoken. Pure: `http.ts` and `tcp.ts` act on it, `explain` prints it.
 */

import { isLiteralHost, isProblem, parseHost } from "./address.ts";
import type { Destination } from "./decide.ts";
import type { EgressOrder, EgressTarget, EgressTls } from "./egress-protocol.ts";
import { type ForwardTarget, type TargetKey, targetKey } from "./forward-target.ts";
import { DEFAULT_PORT, type Limits, type Scheme, type TlsPolicy } from "./table.ts";

/** What a `fetch()` asks for. */
export function destinationOf(url: URL): Destination {
  const scheme = schemeOf(url);
  return { scheme, host: url.hostname, port: url.port === "" ? DEFAULT_PORT[scheme] : Number(url.port) };
}

function schemeOf(url: URL): Scheme {
  return url.protocol === "https:" ? "https" : "http";
}

/** How requests travel to a target that is no Worker. */
export interface HttpWay extends Pick<Extract<EgressOrder, { op: "http" }>, "target" | "limits" | "tls"> {
  /** The binding of workerd's own client for the target; it is there if the target was known when the runtime started. */
  direct?: TargetKey;
}

export interface Destined {
  to: Exclude<ForwardTarget, { type: "worker" }>;
  limits: Limits;
  tls: TlsPolicy;
}

/** The same for every URL of one origin. */
export function wayOf(url: URL, { to, limits, tls: policy }: Destined): HttpWay {
  const tls = tlsFor(url, to, policy);
  const way: HttpWay = { target: toEgressTarget(to), limits, ...(tls && { tls }) };
  if (to.type === "address" && tls === undefined && !needsEgress(limits)) way.direct = targetKey(to);
  return way;
}

/** @returns undefined where the target is spoken to in plain HTTP */
function tlsFor(url: URL, to: Destined["to"], policy: TlsPolicy): EgressTls | undefined {
  if (to.type === "function") return undefined;
  const scheme = (to.type === "address" ? to.scheme : undefined) ?? schemeOf(url);
  if (scheme === "http") return undefined;
  const host = parseHost(url.hostname);
  return { ...policy, hostName: isProblem(host) ? url.hostname : host.text };
}

/** What the egress proxy is told of a target: not the scheme, which the URL's and the policy have become TLS or none. */
export function toEgressTarget(to: Destined["to"]): EgressTarget {
  if (to.type !== "address") return to;
  const { type, host, port, resolvers } = to;
  return { type, host, port, ...(resolvers && { resolvers }) };
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
