/**
 * Finds where the request of an entry goes now, by the decision of a session: through the binding that made the call. Of a
 * file that doesn't say it, through the binding that most precisely leads to the URL's host.
 */

import path from "node:path";

import {
  type Decision,
  type DecidingEntry,
  type Forward,
  decide,
  placeTarget,
} from "../../../service-worker/routing/decide.ts";
import type { EgressLimits, EgressTls } from "../../../service-worker/routing/egress-protocol.ts";
import { type ForwardTarget, formatTarget } from "../../../service-worker/routing/forward-target.ts";
import { type IndexedTable, indexTable } from "../../../service-worker/routing/route-index.ts";
import type { Binding } from "../../../service-worker/routing/table.ts";
import { destinationOf, httpWayOf } from "../../../service-worker/routing/transport.ts";
import type { DialTarget } from "../../egress/connections/dial.ts";
import type { LoadedTable } from "../../load.ts";
import { isForRest } from "../../parse/parse-destination.ts";
import type { RecordedCaller } from "../read-entry.ts";

export interface LiveTarget {
  /** As a person writes it. */
  text: string;
  target: DialTarget;
  tls?: EgressTls;
  limits: EgressLimits;
}

/** Why nothing can be asked, in words. */
export interface NoTarget {
  reason: string;
  /** A stand-in answers, so there is nothing that could have changed. */
  isStandIn?: true;
}

export type FindLiveTarget = (url: URL, caller?: RecordedCaller) => LiveTarget | NoTarget;

/** @param options `file`: the recording's absolute path; `through`: the `bindingKey` for calls whose binding isn't known */
export function liveTargetFinder(
  { table, standIns }: LoadedTable,
  { file, through }: { file: string; through: string | undefined },
): FindLiveTarget {
  const index = indexTable(table);
  const bindings = Object.entries(table.bindings);
  return (url, caller) => {
    const named = namedBy(caller, bindings);
    const candidates = named.length > 0 ? named : bindings;
    const known = named.length === 1 ? named[0] : candidates.find(([key]) => key === through);
    const follow = ([key, binding]: NamedBinding): Way => wayThrough(key, binding, { url, index, standIns, file });
    return known === undefined ? likeliest(candidates.map(follow), url) : follow(known).live;
  };
}

type NamedBinding = [key: string, binding: Binding];

/** @returns several if the file doesn't name the Worker, or names one that is no longer there */
function namedBy(caller: RecordedCaller | undefined, bindings: readonly NamedBinding[]): NamedBinding[] {
  const same = bindings.filter(([, { bindingName }]) => bindingName === caller?.bindingName);
  const own = same.filter(([, { workerName }]) => workerName === caller?.workerName);
  return own.length > 0 ? own : same;
}

/** Where a call through a binding goes. */
interface Way {
  /** The smaller, the more likely it is the one that was recorded. Absent: it doesn't lead to the host. */
  rank?: number;
  binding: Binding;
  live: LiveTarget | NoTarget;
}

function likeliest(ways: readonly Way[], url: URL): LiveTarget | NoTarget {
  const best = Math.min(...ways.map(({ rank = Infinity }) => rank));
  const likely = ways.filter(({ rank }) => rank === best);
  const [first] = likely;
  if (first === undefined) return { reason: `no route or service of the vpc config leads to ${url.host}` };
  const places = Map.groupBy(likely, ({ live }) => ("text" in live ? live.text : live.reason));
  if (places.size === 1) return first.live;
  const { bindingName, workerName } = first.binding;
  const isShared = likely.some(({ binding }) => binding.bindingName === bindingName && binding !== first.binding);
  const choice = `--binding ${bindingName}${isShared ? ` --worker ${workerName}` : ""}`;
  const list = [...places].map(([place, [way]]) => `${way?.binding.label} (${place})`).join(", ");
  return {
    reason: `the file doesn't say which binding made the call, and several lead to ${url.host}: ${list}. Choose one with ${choice}`,
  };
}

/** A wildcard and a service without a record are equally vague about the host. `*` says nothing of it. */
const RANK = { recording: 0, record: 1, route: 2, anyHost: 3, rest: 4 };

interface Asked extends Pick<LoadedTable, "standIns"> {
  url: URL;
  index: IndexedTable;
  file: string;
}

function wayThrough(key: string, binding: Binding, asked: Asked): Way {
  const { url, index, standIns, file } = asked;
  const decision: Decision = decide(index, key, destinationOf(url));
  if (decision.type === "refuse") {
    const live = { reason: `${binding.bindingName} refuses the call: ${decision.reason}` };
    // What no rule refuses may have been another binding's call.
    return { ...(decision.rule?.kind === "route" && { rank: rankOf(binding, decision.rule, url) }), binding, live };
  }
  const { to, rule } = decision;
  const rank = rankOf(binding, rule, url);
  if (to.type !== "stand-in") return { rank, binding, live: toLive(url, { binding, forward: decision, to }) };
  const model = standIns.get(to.standInId)?.model;
  const isOwn = model?.type === "har" && model.file === file;
  // Of two bindings with the same recording, the likelier one counts.
  const own = isOwn ? RANK.recording + rank / 10 : rank;
  return { rank: own, binding, live: toLiveBehind(decision, to.standInId, { ...asked, binding }) };
}

function rankOf(binding: Binding, { text }: DecidingEntry, url: URL): number {
  if (binding.kind === "service") return hostsOf(binding).includes(url.hostname) ? RANK.record : RANK.anyHost;
  if (isForRest(text)) return RANK.rest;
  return text.startsWith("*") ? RANK.anyHost : RANK.route;
}

/** A recording stands in for the target that it names. */
function toLiveBehind(
  forward: Forward,
  standInId: string,
  { url, standIns, binding }: Asked & { binding: Binding },
): LiveTarget | NoTarget {
  const standIn = standIns.get(standInId);
  if (standIn?.model.type !== "har") return { reason: "a stand-in answers it", isStandIn: true };
  if (standIn.behind === undefined) {
    const written = JSON.stringify(path.basename(standIn.model.file));
    return {
      reason: `the recording ${written} has no target to ask: add a "target" at ${standIn.origin}, as in { "har": …, "target": "localhost:PORT" }`,
    };
  }
  const to = placeTarget(standIn.behind, destinationOf(url));
  if (to.type === "deny") return { reason: `the target of the recording refuses the call with ${to.code}` };
  return toLive(url, { binding, forward, to });
}

function hostsOf(binding: Binding): string[] {
  return binding.kind === "service" ? binding.service.hosts : [];
}

function toLive(
  url: URL,
  { binding, forward, to }: { binding: Binding; forward: Forward; to: ForwardTarget },
): LiveTarget | NoTarget {
  const text = formatTarget(to);
  const { limits, tls } = forward;
  const way = httpWayOf(url, { to, limits, tls, binding: binding.kind === "unlinked" ? {} : binding });
  if (way.type === "worker") return { reason: `${text} can only be asked in a session` };
  const { target } = way.order;
  if (target.type === "function" || target.type === "stand-in")
    return { reason: `the target is a ${target.type}, which can only be asked in a session` };
  return { text, target, limits, ...(way.order.tls && { tls: way.order.tls }) };
}
