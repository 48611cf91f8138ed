/** Faults that a test changes while bytes flow. */

import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import type { LiveFaults } from "../../../plugin/scenario/faults/live-faults.ts";

export interface SettableFaults extends LiveFaults {
  set(faults: Fault[]): void;
  /** Listeners that are subscribed now. */
  readonly listeners: number;
}

export function settableFaults(first: Fault[] = []): SettableFaults {
  let faults = first;
  const listeners = new Set<() => void>();
  return {
    get faults() {
      return faults;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(changed) {
      faults = changed;
      for (const listener of listeners) listener();
    },
    get listeners() {
      return listeners.size;
    },
  };
}
