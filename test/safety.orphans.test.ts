/** What is killed with SIGKILL can't end what it started; what is left of the session does. */

import { expect, test } from "vitest";

import { ok, startHttpOrigin } from "./servers/http-origin.ts";
import { processesIn } from "./soak/processes.ts";
import { createSoakProject } from "./soak/project.ts";
import { MINIFLARE_VPC, serve } from "./wrangler/run.ts";

test.each([
  ["miniflare-vpc dev", "dist/cli.js dev"],
  ["wrangler's launcher", "wrangler/bin/wrangler.js"],
  ["wrangler", "wrangler-dist/cli.js"],
])("SIGKILL to %s leaves no process and no generated config", { timeout: 60_000 }, async (_, command) => {
  await using origin = await startHttpOrigin(ok("here"));
  using project = createSoakProject(origin.port);
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  expect(await server.get("/")).toBe("here");
  const victim = processesIn(project.folder).find((process) => process.command.includes(command));
  expect(victim).toBeDefined();
  process.kill(victim?.pid ?? 0, "SIGKILL");
  const left = (): unknown[] => [...processesIn(project.folder), ...project.leftovers()];
  await expect.poll(left, { timeout: 20_000 }).toEqual([]);
});
