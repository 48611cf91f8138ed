/** `wrangler deploy` uploads the same bytes with and without this package. */

import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { expectEnd } from "../wrangler/expect-end.ts";
import { MINIFLARE_VPC, run, serve, WRANGLER } from "../wrangler/run.ts";
import { createProject, type TemporaryProject } from "../wrangler/temporary-project.ts";

const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";

const CONFIG = {
  name: "api",
  main: "src/index.ts",
  compatibility_date: "2026-01-01",
  upload_source_maps: true,
  vars: { GREETING: "hello" },
  vpc_services: [{ binding: "USERS", service_id: SERVICE }],
  vpc_networks: [{ binding: "MESH", network_id: "cf1:network" }],
  unsafe: { bindings: [{ name: "OWN", type: "own-type" }] },
  env: { staging: { vpc_services: [{ binding: "USERS", service_id: SERVICE }] } },
};

test("a deploy uploads the same before, during and after miniflare-vpc dev", { timeout: 120_000 }, async () => {
  using project = createProject({
    "wrangler.jsonc": CONFIG,
    "src/index.ts": 'import text from "./part";\nexport default { fetch: () => new Response(text) };\n',
    "src/part.ts": 'export default "hello" as string;\n',
  });
  const before = await deploy(project);
  const stagingBefore = await deploy(project, "--env", "staging");
  const metadata = JSON.parse(before.get('form-data; name="metadata"')?.body ?? "");
  expect(metadata.bindings).toEqual(
    expect.arrayContaining([
      { name: "USERS", type: "vpc_service", service_id: SERVICE },
      { name: "MESH", type: "vpc_network", network_id: "cf1:network" },
    ]),
  );
  expect(before.size, "metadata, script and source map").toBeGreaterThanOrEqual(3);

  project.install();
  project.write("vpc.jsonc", {
    services: { [SERVICE]: "http://127.0.0.1:1" },
    networks: { "cf1:network": { routes: {} } },
  });
  expect(await deploy(project)).toEqual(before);
  {
    await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
    expect(await server.get("/")).toBe("hello");
    expect(await deploy(project)).toEqual(before);
    await expectEnd(server, { signal: "SIGINT", exit: 130, project });
  }
  expect(await deploy(project)).toEqual(before);
  expect(await deploy(project, "--env", "staging")).toEqual(stagingBefore);
  expect(project.leftovers()).toEqual([]);
});

interface Part {
  headers: string;
  body: string;
}

/** @returns the parts of the upload by their name, because the boundary differs in each run */
async function deploy(project: TemporaryProject, ...args: string[]): Promise<Map<string, Part>> {
  const upload = path.join(project.folder, "upload");
  const folders = ["--outdir", path.join(project.folder, "out"), "--outfile", upload];
  await using running = run(WRANGLER, ["deploy", "--dry-run", ...folders, ...args], { project });
  if ((await running.ended()) !== 0) throw new Error(running.output());
  const form = readFileSync(upload, "latin1");
  rmSync(upload);
  const boundary = form.slice(0, form.indexOf("\r\n"));
  return new Map(
    form
      .split(boundary)
      .slice(1, -1)
      .map((part): [string, Part] => {
        const headEnd = part.indexOf("\r\n\r\n");
        const headers = part.slice(2, headEnd);
        const name = /^content-disposition: (.*)$/im.exec(headers)?.[1] ?? "";
        return [name, { headers, body: part.slice(headEnd + 4, -2) }];
      }),
  );
}
