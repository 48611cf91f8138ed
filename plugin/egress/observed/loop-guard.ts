/**
 * Finds a call that leads back to this session through its own port, as `service-worker/loop-guard.ts` does for calls that
 * are not observed. A rule decides here where a call leads, so only this side can know.
 */

import type { EgressFailure, EgressTarget } from "../../../service-worker/routing/egress-protocol.ts";
import { enter } from "../../../service-worker/routing/in-flight.ts";
import { describeLoop, isThisMachine } from "../../../service-worker/routing/own-loop.ts";
import { findOwnHosts } from "../../system/own-hosts.ts";
import { isOwnPort } from "../connections/own-port.ts";

/** As they were at the start, because each call asks. */
const ownHosts = findOwnHosts();

/** By port of this machine: requests that wait for an answer, and connections. */
const inFlight = new Map<number, number>();

export interface LoopEntry {
  /** Call it when the request is answered or the connection is over. Further calls do nothing. */
  leave: () => void;
  /** Absent: there is nothing to wait for. Gives why the call is refused, if it is. */
  checked?: Promise<EgressFailure | undefined>;
}

/** @param limit of calls in flight to a port, above which somebody looks whose port it is */
export function enterTarget(target: EgressTarget, limit: number): LoopEntry {
  if (!isThisMachine(target, ownHosts)) return { leave() {} };
  const { port } = target;
  const { count, leave } = enter(inFlight, port);
  if (count <= limit) return { leave };
  const checked = isOwnPort(port).then((isOwn) => (isOwn ? describeLoop(port, count) : undefined));
  return { leave, checked };
}
