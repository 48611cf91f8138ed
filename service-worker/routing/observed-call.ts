/** What the scenario of an observed session is told about a call: who asked for what, and what the table decided. Pure. */

import { type Decision, type Forward, policiesOf } from "./decide.ts";
import type { EgressGoal, ObservedCall, ObservedTarget } from "./egress-protocol.ts";
import { formatTarget } from "./forward-target.ts";
import { httpWayOf, tcpWayOf } from "./transport.ts";

/** For the terminal: where the table leads. */
export function goalOf(decision: Decision): EgressGoal {
  return { text: decision.type === "forward" ? formatTarget(decision.to) : "", isRuled: false };
}

interface CallDescription extends Pick<ObservedCall, "feedId" | "bindingId" | "destination"> {
  repeatId?: string | undefined;
  /** Absent: a connection. */
  url?: URL | undefined;
}

export function describeCall(decision: Decision, { repeatId, url, ...asked }: CallDescription): ObservedCall {
  const { tls, limits, faults } = policiesOf(decision);
  const isDatabase = decision.binding.kind === "service" && decision.binding.isHyperdrive === true;
  const described: ObservedCall = {
    ...asked,
    limits,
    tls,
    ...(faults && { faults }),
    ...(decision.rule && { rule: decision.rule }),
    ...(repeatId !== undefined && { repeatId }),
    ...(isDatabase && { hidesLogin: true as const }),
  };
  if (decision.type === "refuse") {
    const { code, reason, hint } = decision;
    return { ...described, refusal: { code, detail: reason, hint } };
  }
  const to = url === undefined ? tcpTarget(decision) : httpTarget(url, decision);
  return { ...described, to, targetText: formatTarget(decision.to) };
}

function httpTarget(url: URL, decision: Forward): ObservedTarget {
  const way = httpWayOf(url, decision);
  if (way.type === "worker") return way.to;
  const { target, tls } = way.order;
  return { type: "egress", target, ...(tls && { tls }) };
}

function tcpTarget(decision: Forward): ObservedTarget {
  const way = tcpWayOf(decision);
  return way.type === "worker" ? way.to : { type: "egress", target: way.target };
}
