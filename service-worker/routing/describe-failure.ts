/** The terminal's text for a call that failed, in workerd and in Node. Pure. */

import type { Decision } from "./decide.ts";
import type { EgressFailure, EgressGoal } from "./egress-protocol.ts";
import { PROXY_ERRORS, proxyErrorMessage } from "./error-codes.ts";

/** The terminal's lines for a failure: binding, destination and target, then the reason, the entry of the vpc config, and what to do. */
export function describeFailure(
  { message, reason, hint }: { message: string; reason: string; hint: string },
  { decision, asked, goal }: { decision: Decision; asked: string; goal: EgressGoal },
): string {
  const { binding, rule } = decision;
  const target = goal.text && ` → ${goal.text}`;
  const entry = rule && !goal.isRuled ? ` (${rule.kind} "${rule.text}", ${rule.origin})` : "";
  return `${binding.label}  ${asked}${target}  ${message}\n  ${reason}${entry}. ${hint}`.trimEnd();
}

/** What the developer is told of a failure in the egress proxy. */
export function wordsOf({ code, detail, hint }: EgressFailure): { message: string; reason: string; hint: string } {
  const { summary, hint: usual } = PROXY_ERRORS[code];
  // With a hint of its own, the detail is a complete reason.
  const reason = hint === undefined ? `${summary}: ${detail}` : detail;
  return { message: proxyErrorMessage(code), reason, hint: hint ?? usual };
}
