/** The suites that need servers of Debian's packages, one after the other; `.ci/run` installs those. */

import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: ["test/node-version.ts"],
    include: ["test/server-suites/**/*.test.ts"],
    maxWorkers: 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

export default config;
