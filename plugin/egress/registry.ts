/** What orders name by an id: the functions and the stand-ins of each session's vpc configs. */

export interface Registry<T> {
  /** Replaces what an owner has. The previous ones stay for requests that were already decided. */
  set: (owner: string, entries: ReadonlyMap<string, T>) => void;
  /** Drops everything of an owner. */
  drop: (owner: string) => void;
  /** If several owners have the id, the one that was set last wins. */
  find: (id: string) => T | undefined;
}

export function createRegistry<T>(): Registry<T> {
  type Entries = ReadonlyMap<string, T>;
  const owners = new Map<string, { current: Entries; previous: Entries }>();
  return {
    set(owner, entries) {
      const previous = owners.get(owner)?.current ?? new Map<string, T>();
      owners.delete(owner);
      owners.set(owner, { current: entries, previous });
    },
    drop: (owner) => owners.delete(owner),
    find(id) {
      const latestFirst = [...owners.values()].toReversed();
      const sets = [...latestFirst.map(({ current }) => current), ...latestFirst.map(({ previous }) => previous)];
      return sets.find((entries) => entries.has(id))?.get(id);
    },
  };
}
