/** What `run.ts` hands to each suite, and what a suite gives back. */

import type { BenchInstance } from "./instance.ts";
import type { Rounds } from "./measure.ts";
import type { BenchReport } from "./report.ts";
import type { BenchUpstream } from "./upstream.ts";

export interface SuiteContext {
  upstream: BenchUpstream;
  /** Without traffic lines. */
  quiet: BenchInstance;
  /** With them. */
  talking: BenchInstance;
  isQuick: boolean;
  /** @param share of the time that a usual comparison gets */
  rounds(share: number): Rounds;
}

export type Suite = (context: SuiteContext) => AsyncIterable<BenchReport>;
