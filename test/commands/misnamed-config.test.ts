/** A vpc config with capital letters in its name, which macOS and Windows would use and Linux would not. */

import { readdir, rename } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { SERVICE_ID } from "../setup/vpc-folder.ts";
import { createCallFolder } from "./call.ts";

const files = {
  "wrangler.json": JSON.stringify({ name: "app", vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }] }),
  "users.json": `{ "name": "users", "type": "http", "service_id": "${SERVICE_ID}", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } }`,
  "VPC.jsonc": `{ "services": { "USERS": "localhost:3000" } }`,
};

test.each(["check", "explain USERS http://users.internal/", "routes", "init", "init --force", "import users.json"])(
  "%s reports it, writes nothing, and works once it is renamed",
  async (line) => {
    await using vpc = await createCallFolder(files);
    const { exit, out, err } = await vpc.call(line);
    expect(exit).toBe(1);
    // The answer of "check" are the problems.
    expect([...out, ...err].slice(0, 2)).toEqual([
      "VPC.jsonc: error: the name of a vpc config has no capital letters, so this file is not read [config-misnamed]",
      "    Rename it to vpc.jsonc.",
    ]);
    expect((await readdir(vpc.folder)).toSorted()).toEqual(Object.keys(files).toSorted());

    await rename(path.join(vpc.folder, "VPC.jsonc"), path.join(vpc.folder, "vpc.jsonc"));
    const renamed = await vpc.call(line);
    expect([...renamed.out, ...renamed.err].join()).not.toContain("config-misnamed");
  },
);

test("it is ignored if there is a vpc config with the right name", async () => {
  await using vpc = await createCallFolder({ ...files, "vpc.jsonc": files["VPC.jsonc"] });
  expect(await vpc.call("check")).toMatchObject({ exit: 0, err: [] });
});
