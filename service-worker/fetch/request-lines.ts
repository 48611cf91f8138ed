/**
 * Prints the terminal's lines for one request: one when it is over, and the reason if it fails. An observed request may have
 * gone elsewhere than the table says, so the egress proxy is asked where. For any other, the decision says it.
 */

import type { Call } from "../env.ts";
import { type Observed, askGoal } from "../observed.ts";
import { goalOf } from "../routing/observed-call.ts";
import { describeFailure } from "../routing/describe-failure.ts";
import { ProxyError } from "../proxy-error.ts";
import type { Decision } from "../routing/decide.ts";
import type { EgressGoal } from "../routing/egress-protocol.ts";
import { printFailure, printTraffic } from "../traffic.ts";

export class RequestLines {
  /** Set it if the call is observed. */
  observed: Observed | undefined;
  readonly #started: number = Date.now();
  readonly #request: Request;
  readonly #decision: Decision;
  readonly #call: Pick<Call, "env" | "ctx">;
  #goal: EgressGoal | undefined;

  constructor(request: Request, { decision, call }: { decision: Decision; call: Pick<Call, "env" | "ctx"> }) {
    this.#request = request;
    this.#decision = decision;
    this.#call = call;
  }

  /** Hides the query, which may carry a token, because these lines end up in CI logs. */
  get what(): string {
    const { method, url } = this.#request;
    const { origin, pathname, search } = new URL(url);
    return `${method} ${origin}${pathname}${search && "?…"}`;
  }

  /** As far as it is known now. */
  get goal(): string {
    return (this.#goal ?? goalOf(this.#decision)).text || "a rule";
  }

  /** Asks now, so that `goal` knows it later. */
  async learnGoal(): Promise<void> {
    this.#goal = await this.#findGoal();
  }

  over(result: string): void {
    const { binding } = this.#decision;
    if (!binding.traffic) return;
    const begin = `${binding.label}  ${this.what}`;
    const end = `  ${result}  ${Date.now() - this.#started} ms`;
    const format = ({ text }: EgressGoal): string => `${begin}${text && ` → ${text}`}${end}`;
    const goal = this.#findGoal();
    printTraffic(goal instanceof Promise ? goal.then(format) : format(goal), this.#call.ctx);
  }

  /** @returns what the caller gets */
  async fail(error: unknown): Promise<ProxyError> {
    const failure = ProxyError.from(error);
    await this.explain(failure);
    return failure;
  }

  async explain(error: Pick<ProxyError, "message" | "reason" | "hint">): Promise<void> {
    const goal = await this.#findGoal();
    printFailure(describeFailure(error, { decision: this.#decision, asked: this.what, goal }));
  }

  #findGoal(): EgressGoal | Promise<EgressGoal> {
    if (this.observed === undefined) return goalOf(this.#decision);
    return askGoal(this.observed, { decision: this.#decision, env: this.#call.env });
  }
}
