import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    // Recordings, the traffic page and the seed of faults go by it; a test that is about CI sets it.
    env: { CI: "" },
    globalSetup: ["test/setup/node-version.ts", "test/setup/temporary-folder.ts"],
    setupFiles: ["test/setup/patience.ts"],
    include: ["test/**/*.test.ts"],
    // They need Debian's servers and its Chromium: `npm run test:servers`, `npm run test:browser`. They install what they test: `npm run test:fixtures`.
    exclude: ["test/server-suites/**", "test/browser/**", "test/fixtures/**"],
    // Real processes are started (workerd, wrangler, PostgreSQL); two cores are assumed.
    maxWorkers: 2,
    testTimeout: 30_000,
    // What is polled for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
  },
});

export default config;
