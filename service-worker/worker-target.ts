/**
 * `worker:` targets: another Worker of the session stands in for the private service. How many calls
 * are in flight to each is counted, for a Worker that calls itself back through a binding would
 * otherwise recurse until memory ends.
 */

import { type ServiceWorkerEnv } from "./env.ts";
import { ProxyError } from "./failure.ts";
import { targetKey, type ForwardTarget } from "./forward-target.ts";

const inFlight = new Map<string, number>();

/**
 * @param limit calls in flight to one Worker
 * @returns what to call when this one is over
 * @throws {ProxyError} `proxy_loop_detected` beyond the limit
 */
export function enterWorker(workerName: string, limit: number): () => void {
  const count = (inFlight.get(workerName) ?? 0) + 1;
  if (count > limit) {
    throw new ProxyError("proxy_loop_detected", {
      reason: `${limit} calls are already in flight to the Worker ${JSON.stringify(workerName)}`,
    });
  }
  inFlight.set(workerName, count);
  return () => {
    inFlight.set(workerName, (inFlight.get(workerName) ?? 1) - 1);
  };
}

/** @throws {ProxyError} `destination_unavailable` if an edit named a Worker that was not there at the start */
export function workerStub(to: ForwardTarget & { type: "worker" }, env: ServiceWorkerEnv): Fetcher {
  const stub = env[targetKey("http", to)];
  if (stub !== undefined) return stub;
  throw new ProxyError("destination_unavailable", {
    reason: `the Worker ${JSON.stringify(to.workerName)} is not part of this session`,
    hint: "Start it in the same session, then restart.",
  });
}
