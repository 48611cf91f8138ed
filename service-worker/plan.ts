/**
 * What all requests of a binding to one origin have in common: decided for the first of them, and remembered for as
 * long as the table holds, for to parse a URL and to decide takes a tenth of a small request's time. Pure but for that.
 */

import { type Decision, decide } from "./decide.ts";
import type { IndexedTable } from "./route-index.ts";
import { type HttpWay, destinationOf, wayOf } from "./transport.ts";

export interface Plan {
  decision: Decision;
  /** Of the URL, with its colon. */
  protocol: string;
  /** Absent when refused, and for a `worker:` target. */
  way?: HttpWay;
}

/**
 * A URL up to where its path, query or fragment begins: nothing behind that changes where it leads. Of plain characters
 * only, for a Worker of an old compatibility date sends URLs as they were written: a parser drops tabs and line ends, then
 * slashes, and so takes the host from what looks like the path of `http://<tab>/host/`.
 */
const ORIGIN = /^https?:\/\/[\w.:[\]-]{1,300}(?=[/?#]|$)/;

/** Origins that are remembered; a Worker that asks for more at random begins anew. */
const MAX_PLANS = 1000;

let remembered: { index: IndexedTable; plans: Map<string, Plan> } | undefined;

/** @throws as `decide` */
export function planFor(url: string, asked: { index: IndexedTable; bindingId: string }): Plan {
  const { index, bindingId } = asked;
  const origin = ORIGIN.exec(url)?.[0];
  if (origin === undefined) return makePlan(url, asked);
  if (remembered?.index !== index) remembered = { index, plans: new Map() };
  const { plans } = remembered;
  const key = `${bindingId} ${origin}`;
  const known = plans.get(key);
  if (known !== undefined) return known;
  const plan = makePlan(url, asked);
  if (plans.size >= MAX_PLANS) plans.clear();
  plans.set(key, plan);
  return plan;
}

function makePlan(text: string, { index, bindingId }: { index: IndexedTable; bindingId: string }): Plan {
  const url = new URL(text);
  const { protocol } = url;
  const decision = decide(index, bindingId, destinationOf(url));
  if (decision.type === "refuse" || decision.to.type === "worker") return { decision, protocol };
  const { to, binding } = decision;
  return { decision, protocol, way: wayOf(url, { to, limits: binding.limits, tls: binding.tls }) };
}
