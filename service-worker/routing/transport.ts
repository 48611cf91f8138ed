/**
 * Chooses how a request or a connection travels to its target: by which way out of the service worker, and whether with
 * TLS. `http.ts` and `tcp.ts` act on the choice, and `explain` prints it. Pure.
 */

import { isLiteralHost, isProblem, parseHost } from "./address.ts";
import type { Destination, Forward } from "./decide.ts";
import type { EgressLimits, EgressOrder, EgressTarget, EgressTcpTarget, EgressTls } from "./egress-protocol.ts";
import { type ForwardTarget, type TargetKey, targetKey } from "./forward-target.ts";
import { secureTargetKey, trustKey } from "./secure-target.ts";
import { DEFAULT_PORT, type RoutingTable, type Scheme, type TargetWorker, type TlsPolicy } from "./table.ts";

/** The destination of a `fetch()`. */
export function destinationOf(url: URL): Destination {
  const scheme = schemeOf(url);
  return { scheme, host: url.hostname, port: url.port === "" ? DEFAULT_PORT[scheme] : Number(url.port) };
}

function schemeOf(url: URL): Scheme {
  return url.protocol === "https:" ? "https" : "http";
}

type StandInTarget = ForwardTarget & { type: "stand-in" };
type EgressibleTarget = Exclude<ForwardTarget, TargetWorker>;

/** How the requests of a `fetch()` travel. */
export type HttpWay =
  | { type: "worker"; to: TargetWorker }
  | {
      type: "http";
      /** The order for the egress proxy. */
      order: Pick<Extract<EgressOrder, { op: "http" }>, "target" | "limits" | "tls">;
      /**
       * The binding of workerd's own client for the target. It exists for targets that were known when the runtime started,
       * up to a number. With TLS, the egress proxy must have verified the target first.
       */
      direct?: TargetKey;
    };

/** What decides how a call travels. A rule of a test has one, too. */
export type RoutedCall = Pick<Forward, "to" | "limits" | "tls"> & {
  binding: Pick<Forward["binding"], "leavesLocalhostToNode">;
};

/** Is the same for every URL of one origin. */
export function httpWayOf(
  url: URL,
  { to, limits, tls: policy, binding }: RoutedCall,
  { changedTrust = [] }: Pick<RoutingTable, "changedTrust"> = {},
): HttpWay {
  if (to.type === "worker") return { type: "worker", to };
  const tls = tlsFor(url, to, policy);
  const target: EgressTarget =
    to.type === "stand-in" ? { type: "stand-in", standInId: to.standInId, scheme: schemeOf(url) } : toEgressTarget(to);
  const order = { target, limits, ...(tls && { tls }) };
  if (to.type !== "address" || needsEgress(limits) || isLeftToNode(to, binding)) return { type: "http", order };
  if (tls === undefined) return { type: "http", order, direct: targetKey(to) };
  const direct = changedTrust.includes(trustKey(tls)) ? undefined : secureTargetKey(to, tls);
  return { type: "http", order, ...(direct && { direct }) };
}

/** How a `connect()` reaches its target. */
export type TcpWay =
  | { type: "worker"; to: TargetWorker }
  /** The service worker dials the target itself. */
  | { type: "sockets"; target: EgressTcpTarget & { type: "address" } }
  | { type: "egress"; target: EgressTcpTarget };

/**
 * Names and Unix sockets go to the egress proxy. workerd would print a native stack if the name does not resolve or the
 * socket file does not exist.
 */
export function tcpWayOf({ to, limits, binding }: RoutedCall): TcpWay {
  if (to.type === "worker") return { type: "worker", to };
  if (to.type === "stand-in") throw new Error("miniflare-vpc: a stand-in takes no connections");
  const target = toEgressTarget(to);
  const isDirect =
    target.type === "address" &&
    isLiteralHost(target.host) &&
    limits.connectionLimit === undefined &&
    !isLeftToNode(target, binding);
  return isDirect ? { type: "sockets", target } : { type: "egress", target };
}

/** @returns undefined for plain HTTP */
function tlsFor(url: URL, to: EgressibleTarget, policy: TlsPolicy): EgressTls | undefined {
  if (to.type === "function" || to.type === "stand-in") return undefined;
  const scheme = (to.type === "address" ? to.scheme : undefined) ?? schemeOf(url);
  if (scheme === "http") return undefined;
  const host = parseHost(url.hostname);
  return { ...policy, hostName: isProblem(host) ? url.hostname : host.text };
}

/** Drops the scheme, because `tls` of the order says whether to use TLS. */
function toEgressTarget(to: Exclude<EgressibleTarget, StandInTarget>): EgressTcpTarget {
  if (to.type !== "address") return to;
  const { type, host, port, resolvers } = to;
  return { type, host, port, ...(resolvers && { resolvers }) };
}

function isLeftToNode({ host }: { host: string }, { leavesLocalhostToNode }: RoutedCall["binding"]): boolean {
  return leavesLocalhostToNode === true && host === "localhost";
}

/** workerd's own client has none of these limits. */
export function needsEgress({ readTimeout, writeTimeout, connectionLimit }: EgressLimits): boolean {
  return (readTimeout ?? writeTimeout ?? connectionLimit) !== undefined;
}
