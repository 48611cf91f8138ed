/**
 * The calls that the page knows of, as the session's feed tells them. Newest last. Tells its listeners of changes at most
 * once in a while, however many come.
 */

import type { InForceView, NetworkView, SessionView, TrafficRow } from "../traffic-view.ts";
import { openFeed } from "./feed-link.ts";

/** Milliseconds. */
const GATHER = 60;

/** `lost`: the session has ended, or is out of reach; the page tries again. */
export type Link = "connecting" | "live" | "lost";

export interface CallStore {
  readonly session: SessionView | undefined;
  readonly link: Link;
  readonly inForce: InForceView;
  readonly network: NetworkView;
  /** What the list shows: while it is paused, the calls and their state from before. */
  readonly rows: readonly TrafficRow[];
  readonly isPaused: boolean;
  /** Calls that came since the pause. */
  readonly missed: number;
  /** The newest state, also while the list is paused. */
  find(id: number): TrafficRow | undefined;
  setPaused(isPaused: boolean): void;
  /** Empties the journal of the session, for every page. */
  clear(): Promise<void>;
  /** @returns a function that ends it */
  onChange(listener: () => void): () => void;
}

export function followCalls(): CallStore {
  const known = new Map<number, TrafficRow>();
  const listeners = new Set<() => void>();
  let session: SessionView | undefined;
  let link: Link = "connecting";
  let network: NetworkView = { bindings: [] };
  let inForce: InForceView = { rules: [], configFaults: [], isStrict: false };
  let rows: readonly TrafficRow[] = [];
  let isPaused = false;
  let timer: number | undefined;

  const publish = (): void => {
    timer = undefined;
    if (!isPaused) rows = [...known.values()];
    for (const listener of listeners) listener();
  };
  const schedule = (): void => void (timer ??= setTimeout(publish, GATHER));
  const drop = (upTo: number): void => {
    for (const id of known.keys()) if (id <= upTo) known.delete(id);
    // What is gone is gone, paused or not.
    rows = rows.filter(({ id }) => id > upTo);
    schedule();
  };

  openFeed({
    session(data) {
      session = data;
      link = "live";
      known.clear();
      schedule();
    },
    rows(changed) {
      for (const row of changed) known.set(row.id, row);
      const limit = session?.limits.entries ?? Infinity;
      for (const id of known.keys()) {
        if (known.size <= limit) break;
        known.delete(id);
      }
      schedule();
    },
    inForce(data) {
      inForce = data;
      schedule();
    },
    network(data) {
      network = data;
      schedule();
    },
    cleared: ({ upTo }) => drop(upTo),
    lost() {
      link = "lost";
      schedule();
    },
  });

  return {
    get session() {
      return session;
    },
    get link() {
      return link;
    },
    get network() {
      return network;
    },
    get inForce() {
      return inForce;
    },
    get rows() {
      return rows;
    },
    get isPaused() {
      return isPaused;
    },
    get missed() {
      const last = rows.at(-1)?.id ?? 0;
      return isPaused ? [...known.keys()].filter((id) => id > last).length : 0;
    },
    find: (id) => known.get(id),
    setPaused(next) {
      isPaused = next;
      publish();
    },
    async clear() {
      await fetch("api/requests", { method: "DELETE" });
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
