import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: ["test/node-version.ts"],
    include: ["test/**/*.test.ts"],
    // They need Debian's servers: `npm run test:servers`. They install what they test: `npm run test:fixtures`.
    exclude: ["test/server-suites/**", "test/fixtures/**"],
    // Real processes are started (workerd, wrangler, PostgreSQL); two cores are assumed.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

export default config;
