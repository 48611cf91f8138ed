/** What the vpc config says about the traffic page. */

import { expect, test } from "vitest";

import type { LoadedTable } from "../../plugin/load.ts";
import { createFolder, serviceBinding } from "../setup/vpc-folder.ts";

test.each<[written: string, setting: LoadedTable["ui"]]>([
  ["true", true],
  ["false", false],
  ['{ "port": 4400 }', { port: 4400 }],
])("%s is read", async (written, setting) => {
  await using vpc = await createFolder({ "vpc.jsonc": `{ "ui": ${written}, "services": { "API": "localhost:1" } }` });
  const { ui, diagnostics } = await vpc.load([vpc.worker("app", [serviceBinding("API")])]);
  expect([ui, diagnostics]).toEqual([setting, []]);
});

test("of several configs the first that says something counts", async () => {
  await using one = await createFolder({ "vpc.jsonc": '{ "services": { "API": "localhost:1" } }' });
  await using two = await createFolder({ "vpc.jsonc": '{ "ui": false, "services": { "API": "localhost:1" } }' });
  await using three = await createFolder({ "vpc.jsonc": '{ "ui": true, "services": { "API": "localhost:1" } }' });
  const workers = [one, two, three].map((vpc, index) => vpc.worker(`app-${index}`, [serviceBinding("API")]));
  expect((await one.load(workers)).ui).toBe(false);
  expect(await one.load(workers.slice(0, 1))).not.toHaveProperty("ui");
});
