/**
 * A connection that can't be made: the code goes to the Worker, the reason in words to the developer.
 */

import { type Decision } from "./decide.ts";
import { PROXY_ERRORS, type ProxyErrorCode, proxyErrorMessage } from "./proxy-error.ts";
import { formatTarget } from "./forward-target.ts";

/** Carries the reason from where it is known to where the line is printed; its message is all a Worker sees. */
export class ProxyError extends Error {
  readonly code: ProxyErrorCode;
  readonly reason: string;
  readonly hint: string;

  constructor(code: ProxyErrorCode, { reason, hint }: { reason?: string | undefined; hint?: string | undefined } = {}) {
    super(proxyErrorMessage(code));
    this.code = code;
    this.reason = reason ?? PROXY_ERRORS[code].summary;
    this.hint = hint ?? PROXY_ERRORS[code].hint;
  }

  /** What is none is a fault of ours. */
  static from(error: unknown): ProxyError {
    return error instanceof ProxyError ? error : new ProxyError("proxy_internal_error", { reason: String(error) });
  }

  /** What crosses to the user's Worker: the message alone, as in production. */
  bare(): Error {
    const bare = new Error(this.message);
    bare.stack = "";
    return bare;
  }
}

/** @param connectTimeout milliseconds */
export function connectTimedOut(connectTimeout: number): ProxyError {
  return new ProxyError("connection_timeout", { reason: `no connection within ${connectTimeout} ms` });
}

/** The terminal's lines for a failure: binding, destination and target; then why, by which rule, and what to do. */
export function describeFailure(error: ProxyError, decision: Decision, asked: string): string {
  const target = decision.type === "forward" ? ` → ${formatTarget(decision.to)}` : "";
  const rule = decision.rule && ` (${decision.rule.kind} "${decision.rule.text}", ${decision.rule.origin})`;
  return `${decision.binding.bindingName}  ${asked}${target}  ${error.message}\n  ${error.reason}${rule ?? ""}. ${error.hint}`;
}
