/** What `decide` chose: its text, and its name among the service worker's bindings. Pure. */

import { formatEndpoint } from "./address.ts";
import type { Scheme } from "./table.ts";

/** Where the bytes go; nothing left to choose. */
export type ForwardTarget =
  | { type: "address"; host: string; port: number; scheme?: Scheme }
  | { type: "unix"; path: string; scheme?: Scheme }
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
