/** What a large config costs: at the start, at an edit, and in memory. */

import { benchEdits } from "./edit.ts";
import { benchMemory } from "./memory.ts";
import type { BenchReport } from "./report.ts";
import { benchStartUp } from "./start-up.ts";
import type { SuiteContext } from "./suite.ts";

export async function* benchScale(context: SuiteContext): AsyncGenerator<BenchReport> {
  yield await benchStartUp(context);
  yield await benchEdits(context);
  yield* benchMemory(context);
}
