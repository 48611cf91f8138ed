/** Runs before each test file. `vi.waitFor` gives up after a second, which is too soon on a busy machine, and vitest has no setting for it. */

import { vi } from "vitest";

/** Milliseconds. As `expect.poll` has it in the configs. */
const LEAST = 20_000;

const { waitFor } = vi;

vi.waitFor = (callback, options = {}) => {
  const { timeout = 0, interval } = typeof options === "number" ? { timeout: options } : options;
  return waitFor(callback, { timeout: Math.max(timeout, LEAST), ...(interval !== undefined && { interval }) });
};
