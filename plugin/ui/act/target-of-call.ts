/** Finds the target that a call went to, for a program that asks it directly. */

import { type Destination, decide, placeTarget, policiesOf } from "../../../service-worker/routing/decide.ts";
import type { EgressTcpTarget, EgressTls } from "../../../service-worker/routing/egress-protocol.ts";
import { indexTable } from "../../../service-worker/routing/route-index.ts";
import type { RoutingTable } from "../../../service-worker/routing/table.ts";
import { type RoutedCall, destinationOf, httpWayOf } from "../../../service-worker/routing/transport.ts";
import type { RequestEntry } from "../../scenario/journal.ts";
import type { ScenarioRule } from "../../scenario/rule.ts";
import { refused } from "./refused.ts";

export interface DirectTarget {
  target: Exclude<EgressTcpTarget, { type: "function" }>;
  /** Absent: plain HTTP. */
  tls?: EgressTls;
}

/**
 * @param table that was in force when the call began. @param rules of the session
 * @throws {ControlError} in words, if no other program can ask what answered
 */
export function targetOfCall(entry: RequestEntry, table: RoutingTable, rules: readonly ScenarioRule[]): DirectTarget {
  const url = new URL(entry.url);
  const routed = routedBy(entry, { table, rules, destination: destinationOf(url) });
  const { to } = routed;
  if (to.type === "worker")
    throw refused(
      `the target is the Worker ${JSON.stringify(to.ownName ?? to.workerName)}, which only runs inside the session.`,
    );
  if (to.type === "function")
    throw refused("the target is a function of the vpc config, which only runs inside the session.");
  if (to.type === "stand-in") throw refused("a stand-in answered, so there is no server to ask.");
  const way = httpWayOf(url, routed);
  if (way.type === "worker" || way.order.target.type === "stand-in" || way.order.target.type === "function")
    throw new Error("miniflare-vpc: an address leads elsewhere");
  const { target, tls } = way.order;
  return { target, ...(tls && { tls }) };
}

function routedBy(
  { asked, rule: ruleId }: RequestEntry,
  { table, rules, destination }: { table: RoutingTable; rules: readonly ScenarioRule[]; destination: Destination },
): RoutedCall {
  if (table.bindings[asked.bindingId] === undefined) throw refused("the binding is gone.");
  const decision = decide(indexTable(table), asked.bindingId, destination);
  if (ruleId === undefined) {
    if (decision.type === "refuse")
      throw refused(`the vpc config refused the call with ${decision.code}, so there is no target to ask.`);
    return decision;
  }
  const rule = rules.find(({ id }) => id === ruleId);
  if (rule === undefined) throw refused("a rule decided the call, and it is gone.");
  if (rule.effect.type !== "to") throw refused("a rule answered the call, so there is no target to ask.");
  const to = placeTarget(rule.effect.target, destination);
  if (to.type === "deny") throw refused(`the rule refuses the call with ${to.code}.`);
  const { limits, tls } = policiesOf(decision);
  return { to, limits, tls, binding: {} };
}
