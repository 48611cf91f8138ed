/** `miniflare-vpc import`: each source of records, the resulting vpc config, and the output. */

import { readFile, readdir, symlink } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { API_FILES } from "./api.ts";
import { CERTIFICATE_FILES } from "./certificates.ts";
import { TERRAFORM_FILES } from "./terraform.ts";
import { GET, WRANGLER_FILES, list } from "./wrangler-output.ts";
import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { createCallFolder } from "../commands/call.ts";

const WRANGLER = JSON.stringify({
  name: "app",
  vpc_services: [{ binding: "USERS_API", service_id: SERVICE_ID }],
  env: { staging: { vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL_ID }] } },
});

test.each([...API_FILES, ...WRANGLER_FILES, ...TERRAFORM_FILES, ...CERTIFICATE_FILES])(
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
    // A second import changes nothing, and the written config has no errors.
    const again = await vpc.call(`import ${args ?? Object.keys(files).join(" ")}`);
    expect(again.out[0]).toBe("vpc.jsonc: nothing to write");
    expect(await readFile(path.join(vpc.folder, "vpc.jsonc"), "utf8")).toBe(expected);
    expect((await vpc.call("check")).exit).toBe(0);
  },
);

test("a file that is not text", async () => {
  await using vpc = await createCallFolder({ "wrangler.json": WRANGLER });
  await vpc.write("list.bin", Buffer.from([1, 0, 2]));
  expect(await vpc.call("import list.bin")).toEqual({
    exit: 1,
    out: [],
    err: ["list.bin: error: it is not UTF-8 text [not-utf-8]", "    Save it as UTF-8."],
  });
});

const USERS = `{ "name": "users", "type": "http", "service_id": "${SERVICE_ID}", "host": { "hostname": "users.internal", "resolver_network": { "tunnel_id": "${TUNNEL_ID}" } } }`;

/** What `>` of Windows PowerShell writes. */
function toUtf16(text: string, order: "little-endian" | "big-endian"): Buffer {
  const bytes = Buffer.from(`\uFEFF${text.replaceAll("\n", "\r\n")}`, "utf16le");
  return order === "little-endian" ? bytes : bytes.swap16();
}

describe("files from PowerShell", () => {
  test.each(["little-endian", "big-endian"] as const)("may be UTF-16 with a byte order mark: %s", async (order) => {
    await using vpc = await createCallFolder({ "wrangler.json": WRANGLER });
    await vpc.write("users.json", toUtf16(USERS, order));
    await vpc.write("get.txt", toUtf16(GET, order));
    expect(await vpc.call("import users.json")).toMatchObject({ exit: 0, err: [] });
    expect(JSON.parse(await readFile(path.join(vpc.folder, "vpc.jsonc"), "utf8"))).toMatchObject({
      services: { [SERVICE_ID]: { name: "users" } },
    });
    expect(await vpc.call("import get.txt")).toMatchObject({ exit: 0, err: [] });
    expect(JSON.parse(await readFile(path.join(vpc.folder, "vpc.jsonc"), "utf8"))).toMatchObject({
      services: { [SERVICE_ID]: { name: "users-api", host: { hostname: "users.internal" } } },
    });
  });

  test.each([
    ["code page 437", "\u0393\u00f6\u00e9"],
    ["code page 850", "\u00d4\u00f6\u00e9"],
    ["code page 1252", "\u00e2\u201d\u201a"],
    ["ASCII", "???"],
    ["one replacement", "\ufffd"],
  ])("may have a garbled table, which is reported: %s", async (_, garbled) => {
    await using vpc = await createCallFolder({ "wrangler.json": WRANGLER });
    const row = `${SERVICE_ID} \u2502 users \u2502 http \u2502 HTTP:80 \u2502 users.internal \u2502 550e8400...`;
    await vpc.write("list.txt", list(row).replaceAll("\u2502", garbled));
    expect(await vpc.call("import list.txt")).toEqual({
      exit: 1,
      out: [],
      err: [
        "list.txt: error: this is wrangler's table, but its lines are garbled, as PowerShell does to what it pipes or redirects [garbled-import]",
        '    Let another shell write the file: cmd /c "npx wrangler vpc service list > services.txt". Then import services.txt.',
      ],
    });
  });
});

test.each(["import users.json", "init"])("%s: a vpc config that can't be written", async (line) => {
  await using vpc = await createCallFolder({
    "wrangler.json": WRANGLER,
    "users.json": USERS,
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
