/** What `decide` chose: its text, and its name among the service worker's bindings. Pure. */

import { formatEndpoint } from "./address.ts";
import type { Scheme } from "./table.ts";

/** Where the bytes go; nothing left to choose. */
export type ForwardTarget =
  /** `resolvers`: name servers to ask for `host` in place of this machine's. */
  | { type: "address"; host: string; port: number; scheme?: Scheme; resolvers?: string[] }
  | { type: "unix"; path: string }
  | { type: "worker"; workerName: string }
  | { type: "function"; functionId: string };

/** Where bytes go, as a person writes it. */
export function formatTarget(to: ForwardTarget): string {
  switch (to.type) {
    case "address":
      return (to.scheme ? `${to.scheme}://` : "") + formatEndpoint(to.host, to.port);
    case "unix":
      return `unix:${to.path}`;
    case "worker":
      return `worker:${to.workerName}`;
    case "function":
      return "function";
    default:
      return to satisfies never;
  }
}

export type TargetKey = `${"http" | "worker"}:${string}`;

/** Name of the binding of the service worker that serves a target, present if it was known when the runtime started. */
export function targetKey(to: ForwardTarget & { type: "address" | "worker" }): TargetKey {
  return to.type === "address" ? `http:${formatEndpoint(to.host, to.port)}` : `worker:${to.workerName}`;
}
