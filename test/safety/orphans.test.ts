/** A process killed with SIGKILL can't end its children, so the other processes of the session end themselves. */

import { expect, test } from "vitest";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { describeOn } from "../setup/only-on.ts";
import { processesIn } from "../soak/processes.ts";
import { createSoakProject } from "../soak/project.ts";
import { MINIFLARE_VPC, serve } from "../wrangler/run.ts";

describeOn("linux", "it finds processes in /proc", "after SIGKILL", () => {
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
});
