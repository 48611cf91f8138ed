/**
 * Prints the terminal's lines for one connection: one when it ends, one while it is open if it lives long, and one if
 * the target stays silent.
 */

import { type Hop, isCallerGone } from "./hop.ts";
import type { Counted } from "./relay.ts";
import { formatBytes, printTraffic } from "./traffic.ts";

/** Milliseconds. A connection that is open for this long gets an extra line before its last one. */
const LONG = 1000;
/** Milliseconds after which a target that has sent nothing gets a line. */
const SILENT = 5000;

export class ConnectionLines implements Counted {
  sent = 0;
  received = 0;
  readonly #started: number = Date.now();
  readonly #hop: Hop;
  readonly #ctx: Pick<ExecutionContext, "waitUntil">;
  readonly #timers: number[] = [];
  #isOver = false;
  #what = "";
  #goal: () => string | Promise<string> = () => "";

  constructor(hop: Hop, ctx: Pick<ExecutionContext, "waitUntil">) {
    this.#hop = hop;
    this.#ctx = ctx;
  }

  /** Call it when there is something to dial. @param goal where the connection goes, asked for each line; never rejects */
  begin({ what, goal }: { what: string; goal: () => string | Promise<string> }): void {
    this.#what = what;
    this.#goal = goal;
    this.#after(SILENT, () => {
      if (this.received === 0) this.#print((target) => `waiting for ${target} for ${SILENT / 1000} s`);
    });
  }

  /** Call it when the target has accepted. */
  open(): void {
    if (isCallerGone(this.#hop)) this.#printResult(`given up by its caller after ${this.#waited()}`);
    else this.#after(LONG, () => this.#printResult("open"));
  }

  /** Call it when there is no connection. */
  fail(): void {
    if (isCallerGone(this.#hop)) this.#printResult(`given up by its caller after ${this.#waited()}`);
    this.#stop();
  }

  /** The caller may never close its socket, so the connection counts as over after a while. */
  targetEnded(): void {
    this.#after(LONG, () => this.over());
  }

  over(): void {
    if (this.#isOver) return;
    this.#stop();
    this.#printResult(`↑ ${formatBytes(this.sent)} ↓ ${formatBytes(this.received)}  ${this.#age()}`);
  }

  #stop(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#isOver = true;
  }

  #after(delay: number, then: () => void): void {
    if (!this.#isOver) this.#timers.push(setTimeout(then, delay));
  }

  #age(): string {
    return `${Date.now() - this.#started} ms`;
  }

  /** How long the caller waited. */
  #waited(): string {
    return `${(this.#hop.goneAt ?? Date.now()) - this.#started} ms`;
  }

  #printResult(result: string): void {
    this.#print(() => result);
  }

  #print(describe: (target: string) => string): void {
    const format = (goal: string): string => `${this.#what}${goal && ` → ${goal}`}  ${describe(goal || "a rule")}`;
    const goal = this.#goal();
    printTraffic(typeof goal === "string" ? format(goal) : goal.then(format), this.#ctx);
  }
}
