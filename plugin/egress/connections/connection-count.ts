/**
 * Counts the connections in use to each target, over HTTP and TCP together, and refuses any above the limit.
 * Kept connections that are idle don't count.
 */

import type { EgressLimits } from "../../../service-worker/routing/egress-protocol.ts";
import { type DialTarget, describeTarget } from "./dial.ts";
import { EgressError } from "../egress-error.ts";

const counts = new Map<string, number>();

/**
 * @returns a function that ends the use; further calls do nothing
 * @throws {EgressError} `connection_limit_reached`
 */
export function useConnection(target: DialTarget, { connectionLimit }: EgressLimits): () => void {
  const address = addressOf(target);
  const count = counts.get(address) ?? 0;
  if (connectionLimit !== undefined && count >= connectionLimit) {
    const are = count === 1 ? "connection is" : "connections are";
    throw new EgressError({
      code: "connection_limit_reached",
      detail: `${count} ${are} in use to ${describeTarget(target)}, and "connectionLimit" is ${connectionLimit}`,
    });
  }
  counts.set(address, count + 1);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    const left = countInUse(target) - 1;
    if (left === 0) counts.delete(address);
    else counts.set(address, left);
  };
}

export function countInUse(target: DialTarget): number {
  return counts.get(addressOf(target)) ?? 0;
}

/** The key that connections share if one limit covers them. */
export function addressOf(target: DialTarget): string {
  return target.type === "unix" ? target.path : `${target.host}:${target.port}`;
}
