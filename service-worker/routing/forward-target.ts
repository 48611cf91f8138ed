/** The target that `decide` chose, its text, and its name among the service worker's bindings. Pure. */

import { formatEndpoint } from "./address.ts";
import type { Behind, Scheme, TargetWorker } from "./table.ts";

/** Where the bytes go, fully resolved. */
export type ForwardTarget =
  /** `resolvers`: name servers to ask for `host` in place of this machine's. */
  | { type: "address"; host: string; port: number; scheme?: Scheme; resolvers?: string[] }
  | { type: "unix"; path: string }
  | TargetWorker
  | { type: "function"; functionId: string }
  | { type: "stand-in"; standInId: string; text: string; behind?: Behind };

/** The target, as a person writes it. */
export function formatTarget(to: ForwardTarget): string {
  switch (to.type) {
    case "address":
      return (to.scheme ? `${to.scheme}://` : "") + formatEndpoint(to.host, to.port);
    case "unix":
      return `unix:${to.path}`;
    case "worker":
      return `worker:${to.ownName ?? to.workerName}`;
    case "function":
      return "function";
    case "stand-in":
      return to.text;
    default:
      return to satisfies never;
  }
}

/** `https`: `secureTargetKey` makes it. */
export type TargetKey = `${"http" | "https" | "worker"}:${string}`;

/** The name of the service worker's binding for a target. The binding exists for targets that were known when the runtime started, up to a number. */
export function targetKey(to: ForwardTarget & { type: "address" | "worker" }): TargetKey {
  return to.type === "address" ? `http:${formatEndpoint(to.host, to.port)}` : `worker:${to.workerName}`;
}
