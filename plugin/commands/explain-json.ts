/** Formats an explanation as JSON for programs. */

import type { ExplainedLookup } from "../../service-worker/routing/explain.ts";
import type { ServiceBinding } from "../../service-worker/routing/table.ts";
import { type ExplainedCall, formatAsked, formatForward } from "./explain-text.ts";
import { formatTableTarget } from "./format-target.ts";

export function explanationToJson({ binding, asked, explanation, login }: ExplainedCall): object {
  const { bindingName, bindingType, id, workerName, ownString } = binding;
  const subject = {
    binding: { name: bindingName, type: bindingType, id, worker: workerName },
    asked: { op: asked.op, [asked.op === "fetch" ? "url" : "address"]: formatAsked(asked) },
    ...(login && { login: { scheme: login.scheme, user: login.user, database: login.database } }),
  };
  if (ownString !== undefined) return { ...subject, outcome: "own-connection-string" };
  if (explanation === undefined) return { ...subject, outcome: "remote" };
  const { decision, lookups, passage } = explanation;
  const steps = {
    ...(decision.binding.kind === "service" && { record: recordToJson(decision.binding) }),
    lookups: lookups.map(lookupToJson),
    rule: decision.rule,
  };
  if (decision.type === "refuse") {
    const { code, reason, hint } = decision;
    return { ...subject, outcome: "refused", ...steps, error: { code, reason, hint } };
  }
  const { way: transport, ...rest } = passage ?? {};
  return { ...subject, outcome: "forwarded", ...steps, target: formatForward(decision.to), transport, ...rest };
}

function recordToJson({ service, faults }: ServiceBinding): object {
  const { label, origin, type, hosts, httpPort, httpsPort, tcpPort, target } = service;
  return {
    label,
    origin,
    type,
    hosts,
    httpPort,
    httpsPort,
    tcpPort,
    target: target && formatTableTarget(target),
    faults,
  };
}

function lookupToJson({ network, host, port, candidates }: ExplainedLookup): object {
  return {
    host: host.text,
    port,
    network: network && { id: network.networkId, origin: network.origin },
    candidates: candidates.map(({ route, outcome }) => ({
      route: route.text,
      target: formatTableTarget(route.target),
      settings: route.settings,
      origin: route.origin,
      composeService: route.composeService,
      outcome,
    })),
  };
}
