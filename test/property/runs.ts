/**
 * The number of runs of a property. A failure prints its seed, its path and the smallest counterexample:
 *
 *   PROPERTY_RUNS=50 vitest run test/property      fifty times as many runs
 *   PROPERTY_SEED=-123 vitest run test/property    the runs of a failure once more
 */

import type * as fc from "fast-check";

const FACTOR = Number(process.env["PROPERTY_RUNS"] ?? 1);
const SEED = process.env["PROPERTY_SEED"];

/** @param count the number of runs in `npm test`, where a whole file takes a few seconds */
export function runs<T = unknown>(count: number): fc.Parameters<T> {
  return { numRuns: Math.ceil(count * FACTOR), ...(SEED !== undefined && { seed: Number(SEED) }) };
}

/** Milliseconds for one test. They grow with the number of runs. */
export const DEADLINE: number = 60_000 * Math.max(FACTOR, 1);
