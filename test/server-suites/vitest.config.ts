/** The suites that need Debian's servers, one after another. `.ci/run` installs the servers. */

import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    // Recordings, the traffic page and the seed of faults go by it; a test that is about CI sets it.
    env: { CI: "" },
    globalSetup: ["test/setup/node-version.ts"],
    setupFiles: ["test/setup/patience.ts"],
    include: ["test/server-suites/**/*.test.ts"],
    maxWorkers: 1,
    testTimeout: 30_000,
    // What is polled for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
  },
});

export default config;
