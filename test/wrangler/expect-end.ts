/** Ends a command of a test by a signal. Apart from run.ts, which also runs outside of vitest. */

import { expect } from "vitest";

import type { Run } from "./run.ts";
import type { TemporaryProject } from "./temporary-project.ts";

/**
 * Ends it by a signal, and checks how it ends and that no generated config is left. Windows has no signals to send, so there
 * the disposal ends it, and `.ci/smoke.ts` presses ctrl-C.
 */
export async function expectEnd(
  running: Run,
  { signal, exit, project }: { signal: NodeJS.Signals; exit: number | NodeJS.Signals; project: TemporaryProject },
): Promise<void> {
  if (process.platform === "win32") return;
  running.signal(signal);
  expect(await running.ended()).toBe(exit);
  expect(project.leftovers()).toEqual([]);
}
