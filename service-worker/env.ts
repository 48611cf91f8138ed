/**
 * The bindings of the service worker itself; the plugin makes them. Only the service worker holds
 * them: a user's Worker holds a stub of its default export.
 */

import type { TargetKey } from "./forward-target.ts";
import type { IndexedTable } from "./route-index.ts";
import type { RoutingTable } from "./table.ts";

export interface ServiceWorkerEnv {
  TABLE: RoutingTable;
  EGRESS_SECRET: string;
  CONTROL_SECRET: string;
  /** HTTP to the egress proxy in the Node process. */
  EGRESS: Fetcher;
  /** A raw connection to the same. */
  EGRESS_TCP: Fetcher;
  /** One for each target known when the runtime started, named by `targetKey`. */
  [target: TargetKey]: Fetcher;
}

/** One `fetch` or `connect` of a user's Worker. */
export interface Call {
  /** A `bindingKey` of the table. */
  bindingId: string;
  /** The table this call started with; an edit does not reach it. */
  index: IndexedTable;
  env: ServiceWorkerEnv;
  ctx: Pick<ExecutionContext, "waitUntil">;
}

/** What identifies a user's binding to the service worker. */
export interface BindingProps {
  /** A `bindingKey` of the table. */
  binding: string;
}
