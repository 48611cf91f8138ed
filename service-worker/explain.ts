/**
 * The answer of `decide` with the steps that led there, and how it would travel. Pure, and asks without
 * acting: `decide` decides here too, and what it looks up is looked up again for all that it passed over.
 */

import { type Host, isProblem, parseHost } from "./address.ts";
import { type Decision, type Forward, type Lookup, decide } from "./decide.ts";
import type { EgressTls } from "./egress-protocol.ts";
import type { TargetKey } from "./forward-target.ts";
import { type Candidate, type IndexedTable, listCandidates } from "./route-index.ts";
import type { Network } from "./table.ts";
import { destinationOf, mayDialDirectly, wayOf } from "./transport.ts";

/** One `fetch()` or `connect()` of a Worker. */
export type Asked = { op: "fetch"; url: URL } | { op: "connect"; host: Host; port: number };

export interface Explanation {
  decision: Decision;
  /** In the order they were made: of a record with two addresses there may be two; none where no routes count. */
  lookups: ExplainedLookup[];
  /** Absent when refused. */
  passage?: Passage;
}

export interface ExplainedLookup {
  /** Absent: the vpc config does not name it. */
  network?: Network;
  host: Host;
  port: number;
  candidates: Candidate[];
}

/** How the bytes get to the target. */
export interface Passage {
  /** `direct`: workerd's own client; `sockets`: its own sockets; `egress`: the proxy in the Node process. */
  way: "direct" | "sockets" | "egress" | "worker" | "function";
  /** The Host header that the target sees; `fetch()` only. */
  hostHeader?: string;
  tls?: PassageTls;
}

interface PassageTls extends EgressTls {
  /** RFC 6066 §3; absent for an address, which is no server name. */
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
  return { decision, lookups, passage: findPassage(asked, decision, known) };
}

function explainLookup({ network, host, port }: Lookup): ExplainedLookup {
  const candidates = network === undefined ? [] : listCandidates(network, host, port);
  return { ...(network && { network: network.network }), host, port, candidates };
}

function findPassage(asked: Asked, { to, binding }: Forward, known: ExplainOptions["known"]): Passage {
  const { limits } = binding;
  if (asked.op === "connect") {
    if (to.type === "worker" || to.type === "function") return { way: to.type };
    return { way: mayDialDirectly(to, limits) ? "sockets" : "egress" };
  }
  // A Worker is handed the URL, and no Host header.
  if (to.type === "worker") return { way: "worker" };
  const hostHeader = asked.url.host;
  if (to.type === "function") return { way: "function", hostHeader };
  const { tls, direct } = wayOf(asked.url, { to, limits, tls: binding.tls });
  const isDirect = direct !== undefined && known.has(direct);
  return { way: isDirect ? "direct" : "egress", hostHeader, ...(tls && { tls: withServerName(tls) }) };
}

function withServerName(tls: EgressTls): PassageTls {
  const host = parseHost(tls.hostName);
  return isProblem(host) || host.type === "ip" ? tls : { ...tls, serverName: host.text };
}
