/**
 * Differs from production: what a `worker:` target or a function throws reaches the caller unchanged, because it is a
 * fault in the user's own code. Carries it to where the line is printed.
 */

import type { ProxyError } from "./proxy-error.ts";

export class ThrownByTarget extends Error {
  readonly thrown: unknown;
  /** For the developer. Absent: a Worker prints its own errors. */
  readonly explanation: ProxyError | undefined;

  constructor(thrown: unknown, explanation?: ProxyError) {
    super("the target threw");
    this.thrown = thrown;
    this.explanation = explanation;
  }
}
