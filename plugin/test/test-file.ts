/**
 * Test files that share an isolate (`isolate: false`): there, a module is loaded for the first of them only, so nothing of
 * it runs when the next one begins.
 */

import type { TestRunner } from "vitest";

/** vitest's own state, and where it keeps it. */
interface WorkerState {
  config?: { isolate?: boolean };
}
const WORKER = "__vitest_worker__";

/** What vitest awaits before it loads a file. */
type BeforeCollect = (this: TestRunner, paths: string[]) => unknown;

/**
 * Call it when the first file is loaded.
 *
 * @param begin called before each file after it
 */
export async function watchTestFiles(begin: () => Promise<unknown>): Promise<void> {
  const state = (globalThis as { [WORKER]?: WorkerState })[WORKER];
  if (state === undefined || state.config?.isolate === true) return;
  // Only here, because without a test there may be no vitest.
  const { TestRunner } = await import("vitest");
  const runner = TestRunner.prototype as { onBeforeCollect?: BeforeCollect };
  const { onBeforeCollect } = runner;
  runner.onBeforeCollect = async function beginFile(paths) {
    await begin();
    await onBeforeCollect?.call(this, paths);
  };
}
