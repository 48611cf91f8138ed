/**
 * The bindings of the service worker itself, which the plugin makes. Only the service worker has them: a
 * user's Worker has a stub of its default export.
 */

import type { LaneName } from "./routing/egress-protocol.ts";
import type { TargetKey } from "./routing/forward-target.ts";
import type { PackedTable } from "./routing/packed-table.ts";
import type { OwnHosts } from "./routing/own-loop.ts";
import type { IndexedTable } from "./routing/route-index.ts";
import type { SentConnection, SentRequest, TestAnswer, TestFunction, TestLife } from "./test/test-function.ts";

export interface ServiceWorkerEnv {
  TABLE: PackedTable;
  EGRESS_SECRET: string;
  /** The id under which the egress proxy has the tables of later edits. */
  FEED_ID: string;
  OWN_HOSTS: OwnHosts;
  /** HTTP to the egress proxy in the Node process. */
  EGRESS: Fetcher;
  /** A raw connection to the egress proxy. */
  EGRESS_TCP: Fetcher;
  /** The service worker's own entrypoint `Relay`. */
  RELAY: Fetcher;
  /** The service worker's own Durable Object `TableFollower`, which no user's Worker has a stub of. */
  FOLLOWER: DurableObjectNamespace<Follower>;
  /** The service worker's own Durable Object `TestFunctions`, which no user's Worker has a stub of. Only in vitest. */
  FUNCTIONS: DurableObjectNamespace<FunctionKeeper>;
  /** One for each lane (lanes.ts). */
  [lane: LaneName]: Fetcher;
  /** For targets known when the runtime started (`knownTargets`), named by `targetKey`. */
  [target: TargetKey]: Fetcher;
}

/** What a call asks of `TableFollower`. */
interface Follower extends Rpc.DurableObjectBranded {
  catchUp(): Promise<void>;
}

/** What is asked of `TestFunctions`. */
interface FunctionKeeper extends Rpc.DurableObjectBranded {
  keep(functionId: string, given: TestFunction): Promise<void>;
  watch(owner: string, life: TestLife): Promise<void>;
  drop(functionIds: readonly string[]): Promise<void>;
  call(functionId: string, context: SentRequest | SentConnection): Promise<TestAnswer>;
}

/** One `fetch` or `connect` of a user's Worker. */
export interface Call {
  /** A `bindingKey` of the table. */
  bindingId: string;
  /** The table that this call started with. An edit doesn't affect the call. */
  index: IndexedTable;
  env: ServiceWorkerEnv;
  ctx: Pick<ExecutionContext, "waitUntil">;
  /** The traffic page sends it again. */
  repeatId?: string;
}

/** What identifies a user's binding to the service worker. */
export interface BindingProps {
  /** A `bindingKey` of the table. */
  binding: string;
}
