/**
 * The rules and the journal of one session. Says what happens to each call: what a rule says, or what the vpc config has
 * decided. Carries nothing out, which is the egress proxy's job.
 *
 *   client ── commands.ts ──▶ scenario ◀── judge(call) ── egress proxy
 */

import type { EgressFailure, ObservedCall, RepeatedCall } from "../../service-worker/routing/egress-protocol.ts";
import type { RoutingTable, Target } from "../../service-worker/routing/table.ts";
import { type CallBody, makeBody } from "./call.ts";
import { isCi } from "../system/is-ci.ts";
import type { Fault } from "./faults/fault.ts";
import { type Random, createRandom } from "./faults/random.ts";
import { Goals } from "./goals.ts";
import { Journal } from "./journal.ts";
import { type OpenCall, createOpenCall } from "./open-call.ts";
import { type Judged, type ScenarioRule, type RuleSpec, parseRule } from "./rule.ts";
import { RuleIndex } from "./rule-index.ts";
import type { RuleFunction } from "./rule-function.ts";
import { nearestRule } from "./nearest-rule.ts";
import { matchesWho } from "./who.ts";

export interface ScenarioContext {
  /** In force now. */
  table: RoutingTable;
  /** Puts the table into force once more, with its calls observed. */
  push: () => Promise<void>;
  /** Lets the runtime make a call. @returns false if the runtime has had no call since it started */
  repeat: (call: RepeatedCall) => boolean;
  /** The base of relative paths in rules. */
  folder: string;
  /** @throws {TypeError} in words if the value is no target */
  parseTarget: (value: unknown) => Target;
  /** Prints a line in the terminal. */
  print: (line: string) => void;
  /** What answers in place of services begins anew. */
  restart: () => void;
}

/** What happens to a call. */
export type Verdict =
  /** What the vpc config decided. */
  | { type: "as-configured" }
  | { type: "answer"; answer: RuleFunction; params: Record<string, string>; rule: ScenarioRule }
  /** `nearest`: for a call that no rule matches. */
  | { type: "fail"; failure: EgressFailure; rule?: ScenarioRule; nearest?: string }
  | { type: "to"; target: Target; rule: ScenarioRule };

export class Scenario {
  readonly journal: Journal = new Journal();
  readonly goals: Goals = new Goals();
  /** What rules call, by id. */
  readonly functions: Map<string, RuleFunction> = new Map();
  /** Names of fields whose values no recording may have, besides those that are always secret. */
  readonly secretNames: Set<string> = new Set();
  isStrict = false;
  #context: ScenarioContext | undefined;
  #observing: Promise<void> | undefined;
  /** By id, oldest first. */
  readonly #rules = new Map<string, ScenarioRule>();
  #deciding = new RuleIndex();
  #faults = new RuleIndex();
  #made = 0;
  #seed = DEFAULT_SEED;
  readonly #random: Random = createRandom(DEFAULT_SEED);
  #hasPrintedSeed = false;
  readonly #open = new Set<OpenCall>();

  /** A table comes into force. If its seed is another one than before, the generator starts anew. */
  enter(context: ScenarioContext): void {
    const { seed } = context.table;
    if (seed !== this.#context?.table.seed) this.seed(seed ?? DEFAULT_SEED);
    this.#context = context;
  }

  get context(): ScenarioContext {
    if (this.#context === undefined) throw new Error("miniflare-vpc: no table is in force");
    return this.#context;
  }

  /** Calls that are going on. */
  get openCalls(): number {
    return this.#open.size;
  }

  get isObserved(): boolean {
    return this.#observing !== undefined;
  }

  /** From now on, every call comes by here. Nothing does before a client has asked for anything. */
  observe(): Promise<void> {
    this.#observing ??= Promise.resolve()
      .then(() => this.context.push())
      .catch((error: unknown) => {
        this.#observing = undefined;
        throw error;
      });
    return this.#observing;
  }

  /** Newest first. */
  get rules(): readonly ScenarioRule[] {
    return [...this.#rules.values()].toReversed();
  }

  get random(): Random {
    return this.#random;
  }

  /** @param seed for toxicity and jitter */
  seed(seed: number): void {
    this.#seed = seed;
    this.#random.restart(seed);
  }

  /**
   * @param bindingIds the only bindings that it is for
   * @throws {TypeError} that says what is wrong with it
   */
  addRule(spec: RuleSpec, owner?: string, bindingIds?: ReadonlySet<string>): ScenarioRule {
    const { table, parseTarget } = this.context;
    const parsed = parseRule(spec, { bindings: Object.values(table.bindings), parseTarget });
    const number = ++this.#made;
    const rule: ScenarioRule = {
      ...parsed,
      ...(bindingIds && { who: { ...parsed.who, bindingIds } }),
      id: `rule-${number}`,
      number,
      owner,
    };
    this.#rules.set(rule.id, rule);
    const isFault = rule.effect.type === "faults";
    (isFault ? this.#faults : this.#deciding).add(rule);
    if (isFault) this.#faultsChanged();
    return rule;
  }

  /** @param rule one with faults */
  changeFaults(rule: ScenarioRule, faults: readonly Fault[]): void {
    rule.effect = { type: "faults", faults };
    this.#faultsChanged();
  }

  /** @returns whether there was one */
  removeRules(isUnwanted: (rule: ScenarioRule) => boolean): boolean {
    const removed = new Set([...this.#rules.values()].filter(isUnwanted));
    if (removed.size === 0) return false;
    for (const { id } of removed) this.#rules.delete(id);
    this.#deciding.remove(removed);
    this.#faults.remove(removed);
    this.#faultsChanged();
    return true;
  }

  /** The client is gone, and so are its functions, whose ids begin with `owner/`. @returns whether it had rules */
  forgetClient(owner: string): boolean {
    for (const functionId of this.functions.keys())
      if (functionId.startsWith(`${owner}/`)) this.functions.delete(functionId);
    return this.removeRules((rule) => rule.owner === owner);
  }

  /** Removes everything that was said, and ends what still hangs because of it. */
  reset(): void {
    const ended = [...this.#open].filter((call) => call.isInfluenced);
    this.#rules.clear();
    this.#deciding = new RuleIndex();
    this.#faults = new RuleIndex();
    this.functions.clear();
    this.isStrict = false;
    this.journal.clear();
    this.#context?.restart();
    for (const call of ended) call.end({ code: "connection_terminated", detail: "vpc.reset() ended the call" });
    this.#faultsChanged();
  }

  /** The faults that hit a call, for as long as it is open. Call `close` at its end. */
  open(judged: Pick<Judged, "asked" | "head">, { faults: configured = [] }: Pick<ObservedCall, "faults">): OpenCall {
    const call = createOpenCall((known) => this.#faultsOf({ ...judged, configured }, known), {
      configured,
      closed: () => this.#open.delete(call),
    });
    this.#open.add(call);
    return call;
  }

  /** The first rule that matches decides. A rule that is used up is passed over. */
  async judge(judged: Judged, observed: Pick<ObservedCall, "refusal">): Promise<Verdict> {
    const { asked, head, readBody } = judged;
    let body: CallBody | undefined;
    // While the body is read, rules may be removed or used up.
    const mayDecide = ({ id, left }: ScenarioRule): boolean => left > 0 && this.#rules.has(id);
    for (const rule of this.#deciding.find(judged)) {
      if (!mayDecide(rule) || !matchesWho(rule.who, asked)) continue;
      const params = head === undefined ? {} : rule.call.matchHead(head);
      if (params === undefined) continue;
      if (rule.call.needsBody) {
        body ??= makeBody((await readBody?.()) ?? "");
        if (!mayDecide(rule) || !rule.call.matchBody(body)) continue;
      }
      rule.left--;
      return this.#verdictOf(rule, params);
    }
    if (!this.isStrict && observed.refusal === undefined) return { type: "as-configured" };
    const nearest = nearestRule(this.rules, judged);
    const failure = this.isStrict ? STRICT : observed.refusal;
    if (failure === undefined) throw new Error("miniflare-vpc: a call is neither refused nor allowed");
    const detail = nearest === undefined ? failure.detail : `${failure.detail}. The nearest rule is ${nearest}`;
    return { type: "fail", failure: { ...failure, detail }, ...(nearest !== undefined && { nearest }) };
  }

  #verdictOf(rule: ScenarioRule, params: Record<string, string>): Verdict {
    const { effect } = rule;
    const turn = rule.decided++;
    switch (effect.type) {
      case "respond": {
        const answer = effect.answers[Math.min(turn, effect.answers.length - 1)] ?? {};
        return { type: "answer", rule, params, answer: { type: "answer", answer } };
      }
      case "respondBy":
      case "connectBy": {
        const answer = this.functions.get(effect.functionId);
        if (answer !== undefined) return { type: "answer", rule, params, answer };
        return {
          type: "fail",
          rule,
          failure: { code: "destination_unavailable", detail: "the test that owns the rule's function is over" },
        };
      }
      case "fail":
        return {
          type: "fail",
          rule,
          failure: { code: effect.code, detail: "the rule says so", hint: "" },
        };
      case "to":
        return { type: "to", rule, target: effect.target };
      case "faults":
        throw new Error("miniflare-vpc: a fault decides nothing");
      default:
        return effect satisfies never;
    }
  }

  /** All that match act together: those of the vpc config, then the oldest rule's. @param known those that were drawn before */
  #faultsOf(
    { asked, head, configured }: Pick<Judged, "asked" | "head"> & { configured: readonly Fault[] },
    known: Map<Fault, boolean>,
  ): Fault[] {
    const acts = ({ type }: Fault): boolean => head !== undefined || !OF_HTTP.has(type);
    const hits = configured.filter((fault) => acts(fault) && this.#draw(fault, known));
    for (const rule of [...this.#faults.find({ asked, ...(head && { head }) })].toReversed()) {
      if (rule.effect.type !== "faults" || !matchesWho(rule.who, asked)) continue;
      if (head !== undefined && rule.call.matchHead(head) === undefined) continue;
      let hasActed = false;
      for (const fault of rule.effect.faults) {
        const isNew = !known.has(fault);
        if (!acts(fault) || !this.#draw(fault, known)) continue;
        hasActed ||= isNew;
        hits.push(fault);
      }
      if (hasActed) rule.decided++;
    }
    return hits;
  }

  /** @returns whether the fault hits the call that `known` is for */
  #draw(fault: Fault, known: Map<Fault, boolean>): boolean {
    const drawn = known.get(fault);
    if (drawn !== undefined) return drawn;
    const isHit = fault.toxicity >= 1 || this.#random.next() < fault.toxicity;
    known.set(fault, isHit);
    if (isHit) this.#printSeed();
    return isHit;
  }

  /** Once, and only under CI, where a run that failed must be repeated elsewhere. */
  #printSeed(): void {
    if (this.#hasPrintedSeed || !isCi()) return;
    this.#hasPrintedSeed = true;
    this.context.print(
      `A fault acts, and the seed of random faults is ${this.#seed}. To repeat this run, set "seed": ${this.#seed} in the vpc config, or call vpc.seed(${this.#seed}).`,
    );
  }

  #faultsChanged(): void {
    for (const call of this.#open) call.update();
  }
}

const DEFAULT_SEED = 1;

/** They do nothing to a connection. */
const OF_HTTP: ReadonlySet<Fault["type"]> = new Set(["http_status", "truncate"]);

const STRICT: EgressFailure = {
  code: "destination_not_found",
  detail: "no rule matches, and the test is strict",
  hint: "Add a rule for it with vpc.on(), or leave out vpc.strict().",
};
