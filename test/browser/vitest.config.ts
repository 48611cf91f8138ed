/** The page that shows the traffic, in Debian's Chromium. `.ci/run` installs it. */

import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    // Recordings, the traffic page and the seed of faults go by it; a test that is about CI sets it.
    env: { CI: "" },
    globalSetup: ["test/setup/node-version.ts", "test/setup/temporary-folder.ts"],
    include: ["test/browser/**/*.test.ts"],
    maxWorkers: 1,
    testTimeout: 60_000,
    // What is polled for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 90_000,
  },
});

export default config;
