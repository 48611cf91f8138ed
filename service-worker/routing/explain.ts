/**
 * Explains a decision: the steps that led to it, and how the bytes would travel. Calls the same `decide` as the run time,
 * and repeats each of its look-ups to list every candidate. Pure, and sends nothing.
 */

import { type Host, isLocalhostName, isProblem, parseHost } from "./address.ts";
import { type Decision, type Forward, type Lookup, decide } from "./decide.ts";
import type { EgressTls } from "./egress-protocol.ts";
import type { TargetKey } from "./forward-target.ts";
import { type Candidate, type IndexedTable, listCandidates } from "./route-index.ts";
import type { Network } from "./table.ts";
import { destinationOf, httpWayOf, tcpWayOf } from "./transport.ts";

/** One `fetch()` or `connect()` of a Worker, or a connection of a Hyperdrive binding. */
export type Asked = { op: "fetch"; url: URL } | { op: "connect" | "hyperdrive"; host: Host; port: number };

export interface Explanation {
  decision: Decision;
  /** In order. There are two if a record has two addresses, and none if no routes are involved. */
  lookups: ExplainedLookup[];
  /** Absent if refused. */
  passage?: Passage;
}

export interface ExplainedLookup {
  /** Absent if the vpc config doesn't name it. */
  network?: Network;
  host: Host;
  port: number;
  candidates: Candidate[];
}

/** How the bytes get to the target. */
export interface Passage {
  /** `direct`: workerd's own client; `sockets`: its own sockets; `egress`: the proxy in the Node process; `recorded`: the same, for a recording that is made. */
  way: "direct" | "sockets" | "egress" | "worker" | "function" | "stand-in" | "recorded";
  /** The Host header that the target sees; `fetch()` only. */
  hostHeader?: string;
  tls?: PassageTls;
}

interface PassageTls extends EgressTls {
  /** SNI. Absent for an address, which can't be a server name (RFC 6066 §3). */
  serverName?: string;
}

export interface ExplainOptions {
  index: IndexedTable;
  /** A `bindingKey` of the table. */
  bindingId: string;
  /** Targets that the service worker has a pooled service for. */
  known: { has(key: TargetKey): boolean };
}

export function explain(asked: Asked, { index, bindingId, known }: ExplainOptions): Explanation {
  const lookups: ExplainedLookup[] = [];
  const destination =
    asked.op === "fetch"
      ? destinationOf(asked.url)
      : ({ scheme: "tcp", host: asked.host.text, port: asked.port } as const);
  const decision = decide(index, bindingId, destination, (lookup) => lookups.push(explainLookup(lookup)));
  if (decision.type === "refuse") return { decision, lookups };
  const passage = findPassage(asked, decision, known);
  return { decision, lookups, passage: index.table.isObserved === true ? throughNode(passage) : passage };
}

function explainLookup({ network, host, port }: Lookup): ExplainedLookup {
  const found = network === undefined ? [] : listCandidates(network, host, port);
  const isLookedUp = host.type === "name" && !isLocalhostName(host.text);
  const candidates = isLookedUp ? found : found.map(withoutResolvers);
  return { ...(network && { network: network.network }), host, port, candidates };
}

/** As for a host that no name server is asked for. */
function withoutResolvers(candidate: Candidate): Candidate {
  const { route } = candidate;
  return route.target.type === "passthrough"
    ? { ...candidate, route: { ...route, target: { type: "passthrough" } } }
    : candidate;
}

function findPassage(asked: Asked, forward: Forward, known: ExplainOptions["known"]): Passage {
  const isFunction = forward.to.type === "function";
  if (asked.op !== "fetch") {
    if (isFunction) return { way: "function" };
    // A connection of a Hyperdrive binding begins in Node.
    return { way: asked.op === "hyperdrive" ? "egress" : tcpWayOf(forward).type };
  }
  const way = httpWayOf(asked.url, forward);
  // A Worker gets the URL, and no Host header.
  if (way.type === "worker") return { way: "worker" };
  const hostHeader = asked.url.host;
  if (isFunction) return { way: "function", hostHeader };
  if (forward.to.type === "stand-in")
    return { way: forward.to.behind?.isRecorded === true ? "recorded" : "stand-in", hostHeader };
  const { direct, order } = way;
  const isDirect = direct !== undefined && known.has(direct);
  return {
    way: isDirect ? "direct" : "egress",
    hostHeader,
    ...(order.tls && { tls: withServerName(order.tls) }),
  };
}

/** What workerd would dial itself, the egress proxy dials for an observed session. */
function throughNode(passage: Passage): Passage {
  const isDialled = passage.way === "direct" || passage.way === "sockets";
  return isDialled ? { ...passage, way: "egress" } : passage;
}

function withServerName(tls: EgressTls): PassageTls {
  const host = parseHost(tls.hostName);
  return isProblem(host) || host.type === "ip" ? tls : { ...tls, serverName: host.text };
}
