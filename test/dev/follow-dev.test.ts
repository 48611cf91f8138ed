/** wrangler's process after `miniflare-vpc dev` was killed. test/safety/orphans.test.ts kills a real one. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { expect } from "vitest";

import { DEV_PID } from "../../plugin/miniflare/follow-dev.ts";
import { NO_SIGNALS, testOn } from "../setup/only-on.ts";
import { siblingName } from "../../plugin/wrangler-config/sibling.ts";

testOn("posix", NO_SIGNALS, "ends even if another program locks the generated config", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const source = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    import { followDev } from ${JSON.stringify(new URL("../../plugin/miniflare/follow-dev.ts", import.meta.url).href)};
    fs.rmSync = (file) => { throw Object.assign(new Error("EBUSY: resource busy or locked"), { code: "EBUSY" }); };
    syncBuiltinESMExports();
    setInterval(() => undefined, 1000);
    followDev();`;
  const file = `/somewhere/${siblingName(pid, 0)}`;
  const follower = spawn(
    process.execPath,
    ["--experimental-strip-types", "--no-warnings", "--input-type=module", "-e", source, "--", file],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, [DEV_PID]: String(pid) } },
  );
  const [printed, [, signal]] = await Promise.all([text(follower.stderr), once(follower, "exit")]);
  expect(printed).toBe(`miniflare-vpc: can't remove the generated config ${file}: EBUSY: resource busy or locked.\n`);
  expect(signal).toBe("SIGTERM");
});
