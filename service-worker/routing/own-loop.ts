/** What both sides know of a route that leads back to the session through its own port. Pure. */

import { isLocalhostName } from "./address.ts";
import type { EgressFailure, EgressTarget } from "./egress-protocol.ts";

/** Hosts in normal form that lead to this machine besides loopback: a session may listen at all of its addresses. */
export type OwnHosts = Readonly<Record<string, true>>;

/** Whether the target is a port of this machine. */
export function isThisMachine(target: EgressTarget, ownHosts: OwnHosts): target is EgressTarget & { type: "address" } {
  if (target.type !== "address") return false;
  const { host } = target;
  return LOCAL.has(host) || host.startsWith("127.") || isLocalhostName(host) || Object.hasOwn(ownHosts, host);
}

/** The unspecified addresses also lead to this machine. */
const LOCAL = new Set(["::1", "0.0.0.0", "::"]);

/** @param count of calls to the port, with the one that is refused */
export function describeLoop(
  port: number,
  count: number,
): Pick<EgressFailure, "detail"> & { code: "proxy_loop_detected" } {
  return {
    code: "proxy_loop_detected",
    detail: `${count - 1} calls to port ${port}, where this session itself listens, wait for each other`,
  };
}
