/**
 * The bindings of the service worker itself, and the names they go by. Shared with the plugin, which
 * makes them. Only the service worker holds them: a user's Worker holds a stub of `VpcBinding`.
 */

import { formatEndpoint } from "./address.ts";
import type { ForwardTarget } from "./decide.ts";
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

/** Name of the binding that serves a target, present if it was known when the runtime started. */
export function targetKey(
  protocol: "http" | "tcp",
  to: Exclude<ForwardTarget, { type: "function" }>,
): `${"http" | "tcp" | "worker"}:${string}` {
  switch (to.type) {
    case "address":
      return `${protocol}:${formatEndpoint(to.host, to.port)}`;
    case "unix":
      return `${protocol}:unix:${to.path}`;
    case "worker":
      return `worker:${to.workerName}`;
    default:
      return to satisfies never;
  }
}
