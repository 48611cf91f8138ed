/**
 * The bindings of the service worker itself; the plugin makes them. Only the service worker holds
 * them: a user's Worker holds a stub of `VpcBinding`.
 */

import type { RoutingTable } from "./table.ts";

export interface ServiceWorkerEnv {
  TABLE: RoutingTable;
  /** The per-process secret of the control socket and of the egress proxy. */
  SECRET: string;
  /** HTTP to the egress proxy in the Node process. */
  EGRESS: Fetcher;
  /** A raw connection to the same. */
  EGRESS_TCP: Fetcher;
  /** One for each target known when the runtime started, named by `targetKey`. */
  [target: `${"http" | "tcp" | "worker"}:${string}`]: Fetcher;
}

/** What identifies a user's binding to the service worker. */
export interface BindingProps {
  /** A `bindingKey` of the table. */
  binding: string;
}
