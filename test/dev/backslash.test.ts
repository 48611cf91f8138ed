/** A working directory with a backslash in its name. Outside of Windows, a backslash is a normal character of a name. */

import { mkdirSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { describeOn } from "../setup/only-on.ts";
import { expectEnd } from "../wrangler/expect-end.ts";
import { MINIFLARE_VPC, run, serve, WRANGLER } from "../wrangler/run.ts";
import { createProject, type TemporaryProject, REPOSITORY } from "../wrangler/temporary-project.ts";

const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";

const answer = (text: string): string => `import { greet } from "./greet";
export default { services: { "${SERVICE}": () => new Response(greet(${JSON.stringify(text)})) } };`;

function project(): TemporaryProject {
  return createProject(
    {
      "wrangler.toml": `name = "api"
main = "src/index.js"
compatibility_date = "2026-01-01"
vpc_services = [{ binding = "USERS", service_id = "${SERVICE}" }]`,
      "src/index.js": `export default { fetch: (_, env) => env.USERS.fetch("http://users.internal/") };`,
      "vpc.config.ts": answer("first"),
      "greet.ts": "export const greet = (text: string): string => `hello ${text}`;",
    },
    "miniflare-vpc\\",
  );
}

describeOn("posix", "on Windows, a backslash separates folders", "a folder with a backslash in its name", () => {
  test("miniflare-vpc dev, and an edit", { timeout: 60_000 }, async () => {
    using folder = project();
    await using server = await serve(MINIFLARE_VPC, ["dev"], { project: folder });
    expect(await server.get("/")).toBe("hello first");
    folder.write("vpc.config.ts", answer("second"));
    await expect.poll(() => server.get("/").catch(String), { timeout: 20_000 }).toBe("hello second");
    expect(server.output()).toContain(`USERS  GET http://users.internal/ → function  200`);
    await expectEnd(server, { signal: "SIGTERM", exit: 143, project: folder });
  });

  test("wrangler alone", { timeout: 60_000 }, async () => {
    using folder = project();
    // The package is installed elsewhere, because Node.js can't load packages from such a folder.
    using outside = createProject({});
    outside.install();
    const env = { NODE_PATH: path.join(outside.folder, "node_modules") };
    const args = ["dev", "--local", "-c", "wrangler.toml", "-c", path.join(REPOSITORY, "local.json")];
    await using server = await serve(WRANGLER, args, { project: folder, env });
    expect(await server.get("/")).toBe("hello first");
  });

  test("getPlatformProxy", { timeout: 60_000 }, async () => {
    using folder = project();
    // The script lies elsewhere, because Node.js can't run an ES module in such a folder.
    using outside = createProject({
      "report.mjs": `import { getPlatformProxy } from ${JSON.stringify(path.join(REPOSITORY, "dist/wrangler.js"))};
const { env, dispose } = await getPlatformProxy({ persist: false });
console.log(await (await env.USERS.fetch("http://users.internal/")).text());
await dispose();`,
    });
    await using running = run(path.join(outside.folder, "report.mjs"), [], { project: folder });
    expect(await running.ended()).toBe(0);
    expect(running.output()).toContain("hello first");
  });

  test("check, explain and routes", async () => {
    using folder = project();
    const print = async (...args: string[]): Promise<string> => {
      await using running = run(MINIFLARE_VPC, args, { project: folder });
      expect(await running.ended()).toBe(0);
      return running.output();
    };
    expect(await print("check", "--strict")).toBe("No problems in wrangler.toml, vpc.config.ts.\n");
    expect(await print("explain", "USERS", "http://users.internal/")).toContain("target     function");
    expect(await print("routes")).toContain("vpc.config.ts:2:");
  });

  test("a wrangler that is installed there is refused with a message", async () => {
    using folder = project();
    const wrangler = path.join(folder.folder, "node_modules/wrangler");
    unlinkSync(wrangler);
    mkdirSync(wrangler);
    writeFileSync(
      path.join(wrangler, "package.json"),
      JSON.stringify({
        version: "4.164.0",
        bin: { wrangler: "x.js" },
        exports: { "./package.json": "./package.json" },
      }),
    );
    await using running = run(MINIFLARE_VPC, ["dev"], { project: folder });
    expect(await running.ended()).toBe(1);
    expect(running.output()).toContain(
      `wrangler can't run from ${wrangler}: Node.js can't load a package from a path with a backslash. Rename the folder.`,
    );
    expect(running.output()).not.toMatch(/^ +at /m);
  });
});
