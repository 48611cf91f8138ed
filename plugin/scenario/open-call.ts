/**
 * A call that is going on: the faults that hit it, which may change while its bytes flow, and its end from outside.
 */

import type { EgressFailure } from "../../service-worker/routing/egress-protocol.ts";
import type { Fault } from "./faults/fault.ts";
import type { LiveFaults } from "./faults/live-faults.ts";

export interface OpenCall extends LiveFaults {
  /** Whether a rule decided it, or a fault of a rule hits it. */
  readonly isInfluenced: boolean;
  /** The types of all faults that hit it so far. */
  readonly hits: ReadonlySet<string>;
  /** Call it when a rule has decided. */
  ruled(): void;
  /** Looks for new faults. */
  update(): void;
  /** What ends the call from outside. Replaces the one before. */
  onEnd(end: (failure: EgressFailure) => void): void;
  end(failure: EgressFailure): void;
  /** The call is over. */
  close(): void;
}

/**
 * @param find the faults that hit the call now; `known` remembers the draw of each
 * @param options `configured`: those of the vpc config, which stay for the whole call; `closed`: called once
 */
export function createOpenCall(
  find: (known: Map<Fault, boolean>) => Fault[],
  { configured, closed }: { configured: readonly Fault[]; closed: () => void },
): OpenCall {
  const known = new Map<Fault, boolean>();
  const listeners = new Set<() => void>();
  let faults = find(known);
  const hits = new Set<string>(faults.map(({ type }) => type));
  let isRuled = false;
  let endCall: ((failure: EgressFailure) => void) | undefined;
  const cutIfDown = (): void => {
    if (faults.some(({ type }) => type === "down")) endCall?.(DOWN);
  };
  return {
    get faults() {
      return faults;
    },
    get isInfluenced() {
      return isRuled || faults.some((fault) => !configured.includes(fault));
    },
    hits,
    ruled: () => void (isRuled = true),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    update() {
      const found = find(known);
      if (found.length === faults.length && found.every((fault, index) => fault === faults[index])) return;
      faults = found;
      for (const { type } of found) hits.add(type);
      for (const listener of listeners) listener();
      cutIfDown();
    },
    onEnd(end) {
      endCall = end;
    },
    end: (failure) => endCall?.(failure),
    close() {
      endCall = undefined;
      listeners.clear();
      closed();
    },
  };
}

const DOWN: EgressFailure = { code: "connection_terminated", detail: 'the fault "down" cut the connection' };
