/** The page that shows the traffic, in Debian's Chromium. `.ci/run` installs it. */

import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    // Recordings, the traffic page and the seed of faults go by it; a test that is about CI sets it.
    env: { CI: "" },
    globalSetup: ["test/setup/node-version.ts", "test/setup/temporary-folder.ts"],
    setupFiles: ["test/setup/patience.ts"],
    include: ["test/browser/**/*.test.ts"],
    maxWorkers: 1,
    // What is waited for comes late on a busy machine. A test has time for several waits, each of which ends with what it waited for.
    testTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 180_000,
  },
});

export default config;
