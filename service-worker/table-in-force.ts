/**
 * Holds the table in force, and takes over edits of the vpc config. Each early call makes the `TableFollower` ask the
 * egress proxy whether the table is still the newest. The follower then keeps one order open, which the proxy answers at
 * the next edit. It is a Durable Object, because that lives as long as the runtime: the event of a call ends with its
 * caller, and an event that goes on delays the caller's abort. It also makes the calls that the traffic page sends again.
 *
 *   first calls ─▶ TableFollower ── "newer than n?" ──▶ egress proxy ── table, or none
 *                                ── "wait for one" ───▶     … edit …  ── table ──▶ in force, and the next wait says so
 */

import { DurableObject } from "cloudflare:workers";
import type { EgressOrder } from "./routing/egress-protocol.ts";
import { askTable } from "./egress.ts";
import type { ServiceWorkerEnv } from "./env.ts";
import { type IndexedTable, indexTable } from "./routing/route-index.ts";
import { unpackTable } from "./routing/packed-table.ts";
import { repeatCall } from "./repeat-call.ts";
import { printFailure } from "./traffic.ts";

/** An edit replaces it as a whole. A call keeps the table that it started with. */
let current: IndexedTable | undefined;
let isFollowing = false;

export function tableInForce(env: ServiceWorkerEnv): IndexedTable {
  return (current ??= indexTable(unpackTable(env.TABLE)));
}

/** @returns what a call must wait for first; undefined except for the first calls */
export function catchUp(env: ServiceWorkerEnv): Promise<void> | undefined {
  return isFollowing ? undefined : askFollower(env);
}

/** Each early call asks for itself, because the runtime cancels an event that only waits for another one. */
async function askFollower({ FOLLOWER }: ServiceWorkerEnv): Promise<void> {
  try {
    await FOLLOWER.get(FOLLOWER.idFromName("")).catchUp();
  } catch (error) {
    printFailure(`miniflare-vpc: can't find out whether the vpc config was edited: ${String(error)}`);
  }
}

/** There is one in the whole runtime. */
export class TableFollower extends DurableObject<ServiceWorkerEnv> {
  #asking: Promise<void> | undefined;

  /** Calls that come together share one question: thousands at once would not all get through to the proxy. */
  async catchUp(): Promise<void> {
    if (isFollowing) return;
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  async #ask(): Promise<void> {
    await takeNewer(this.#caller, { isPatient: false });
    isFollowing = true;
    void follow(this.#caller);
  }

  get #caller(): Caller {
    return { env: this.env, ctx: this.ctx };
  }
}

/** What makes a call. */
type Caller = { env: ServiceWorkerEnv; ctx: Pick<ExecutionContext, "waitUntil"> };

async function follow(caller: Caller): Promise<void> {
  try {
    while (await takeNewer(caller, { isPatient: true }));
  } catch {
    // The proxy is gone, and usually this runtime too. If not, the next call asks again and reports what is wrong.
    isFollowing = false;
  }
}

/** @returns whether there can be more tables */
async function takeNewer(
  { env, ctx }: Caller,
  { isPatient }: Pick<EgressOrder & { op: "table" }, "isPatient">,
): Promise<boolean> {
  const { generation } = tableInForce(env).table;
  const answer = await askTable(env, { feedId: env.FEED_ID, generation, isPatient });
  if (typeof answer === "string") return answer !== "over";
  if ("repeat" in answer) {
    ctx.waitUntil(repeatCall(answer.repeat, { index: tableInForce(env), env, ctx }));
    return true;
  }
  // Two early calls may be answered out of order. The newer table stays.
  if (answer.generation > tableInForce(env).table.generation) current = indexTable(unpackTable(answer));
  return true;
}
