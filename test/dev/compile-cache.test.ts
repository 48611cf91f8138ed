/** `miniflare-vpc dev` lets Node keep wrangler's compiled code, unless the user says otherwise. */

import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { MINIFLARE_VPC } from "../wrangler/run.ts";
import { type TemporaryProject, createProject, quietEnvironment } from "../wrangler/temporary-project.ts";

const KEPT = "node_modules/.cache/miniflare-vpc";

/** A project whose wrangler does nothing. */
function projectWithIdleWrangler(): TemporaryProject {
  const project = createProject({ "wrangler.json": { name: "app", main: "index.js" } });
  onTestFinished(() => project[Symbol.dispose]());
  rmSync(path.join(project.folder, "node_modules/wrangler"));
  project.write("node_modules/wrangler/package.json", {
    version: manifest.devDependencies.wrangler,
    bin: { wrangler: "bin.js" },
    dependencies: { miniflare: manifest.devDependencies.miniflare },
  });
  project.write("node_modules/wrangler/bin.js", `require("./cli.js");`);
  project.write("node_modules/wrangler/cli.js", `console.log("wrangler ran");`);
  return project;
}

test.each([
  ["beside wrangler", {}, [KEPT]],
  ["where the user keeps it", { NODE_COMPILE_CACHE: "kept" }, ["kept"]],
  ["nowhere, if the user turned it off", { NODE_DISABLE_COMPILE_CACHE: "1" }, []],
  ["nowhere, if it can't be written", { NODE_COMPILE_CACHE: "wrangler.json/no" }, []],
])("the compiled code is kept %s", (_, env, expected) => {
  const { folder } = projectWithIdleWrangler();
  const { status, stdout, stderr } = spawnSync(process.execPath, [MINIFLARE_VPC, "dev"], {
    cwd: folder,
    env: { ...quietEnvironment(folder), ...env },
    encoding: "utf8",
  });
  expect({ status, stdout, stderr }).toMatchObject({ status: 0, stdout: "wrangler ran\n" });
  const kept = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll(path.sep, "/"));
  expect([KEPT, "kept"].filter((name) => kept.some((file) => file.startsWith(`${name}/`)))).toEqual(expected);
});
