/** What a process sees around it, as a test says it. */

import type { LoadOptions } from "../../plugin/load.ts";
import { readModel } from "../../plugin/load.ts";
import type { Whereabouts } from "../../plugin/system/whereabouts.ts";

export const ON_THE_HOST: Whereabouts = { isContainer: () => false, resolving: async () => new Set() };

/** @param resolving the only names that resolve there */
export function inContainer(...resolving: string[]): Whereabouts {
  return {
    isContainer: () => true,
    resolving: async (names) => new Set(names.filter((name) => resolving.includes(name))),
  };
}

/** For `loadTable`: what a config in these whereabouts leads to. */
export function readIn(whereabouts: Whereabouts): NonNullable<LoadOptions["readModel"]> {
  return (source, folder) => readModel(source, folder, whereabouts);
}
