/** `miniflare-vpc import`: each source of records, what becomes of the vpc config, and what is printed. */

import { readFile, readdir, symlink } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { API_FILES } from "../cases/import-api.ts";
import { TERRAFORM_FILES } from "../cases/import-terraform.ts";
import { WRANGLER_FILES } from "../cases/import-wrangler.ts";
import { SERVICE_ID, TUNNEL_ID } from "../vpc-folder.ts";
import { createCallFolder } from "./call.ts";

const WRANGLER = JSON.stringify({
  name: "app",
  vpc_services: [{ binding: "USERS_API", service_id: SERVICE_ID }],
  env: { staging: { vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }] } },
});

test.each([...API_FILES, ...WRANGLER_FILES, ...TERRAFORM_FILES])(
  "$title",
  async ({ files, args, config, expected, out = [], err = [], exit = 0 }) => {
    await using vpc = await createCallFolder({
      "wrangler.json": WRANGLER,
      ...files,
      ...(config !== undefined && { "vpc.jsonc": config }),
    });
    const called = await vpc.call(`import ${args ?? Object.keys(files).join(" ")}`);
    expect(called).toEqual({ exit, out, err });
    const written = (await readdir(vpc.folder)).includes("vpc.jsonc")
      ? await readFile(path.join(vpc.folder, "vpc.jsonc"), "utf8")
      : undefined;
    expect(written).toBe(expected);
    if (expected === undefined || exit !== 0 || args?.includes("--dry-run")) return;
    // Once more changes nothing, and what was written has no errors.
    const again = await vpc.call(`import ${args ?? Object.keys(files).join(" ")}`);
    expect(again.out[0]).toBe("vpc.jsonc: nothing to write");
    expect(await readFile(path.join(vpc.folder, "vpc.jsonc"), "utf8")).toBe(expected);
    expect((await vpc.call("check")).exit).toBe(0);
  },
);

test("a file that is no UTF-8, as Windows PowerShell writes it", async () => {
  await using vpc = await createCallFolder({ "wrangler.json": WRANGLER });
  await vpc.write("list.txt", Buffer.from("\uFEFFVPC service: x", "utf16le"));
  await vpc.write("list.bin", Buffer.from([1, 0, 2]));
  expect(await vpc.call("import list.txt list.bin")).toEqual({
    exit: 1,
    out: [],
    err: [
      "list.bin: error: it is not UTF-8 text [not-utf-8]",
      "    Save it as UTF-8.",
      "list.txt: error: it is UTF-16, but must be UTF-8 [not-utf-8]",
      "    Save it as UTF-8.",
    ],
  });
});

test.each(["import users.json", "init"])("%s: a place that can't be written to", async (line) => {
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "users.json": `{ "name": "users", "type": "http", "service_id": "${SERVICE_ID}", "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } }`,
  });
  await symlink("gone/vpc.jsonc", path.join(vpc.folder, "vpc.jsonc"));
  expect(await vpc.call(line)).toEqual({
    exit: 1,
    out: [],
    err: [
      "vpc.jsonc: error: the vpc config can't be written: ENOENT: no such file or directory, open 'FOLDER/vpc.jsonc' [config-not-writable]",
    ],
  });
});
