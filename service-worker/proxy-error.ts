/**
 * A call that failed: the code goes to the Worker, and the reason to the developer's terminal.
 */

import { PROXY_ERRORS, type ProxyErrorCode, proxyErrorMessage } from "./routing/error-codes.ts";

/** Carries the reason to where the line is printed. A Worker only sees its message. */
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

  /** Any other error is a fault of ours. */
  static from(error: unknown): ProxyError {
    return error instanceof ProxyError ? error : new ProxyError("proxy_internal_error", { reason: String(error) });
  }

  /** The error for the user's Worker: only the message, as in production. */
  bare(): Error {
    const bare = new Error(this.message);
    bare.stack = "";
    return bare;
  }
}

const NO_HANDSHAKE = "no TLS handshake";

/**
 * @param connectTimeout milliseconds
 * @param detail of the egress proxy's own attempt
 */
export function connectTimedOut(connectTimeout: number, detail = ""): ProxyError {
  const what = detail.includes(NO_HANDSHAKE) ? NO_HANDSHAKE : "no connection";
  return new ProxyError("connection_timeout", { reason: `${what} within ${connectTimeout} ms` });
}
