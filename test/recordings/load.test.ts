/** Recordings of a vpc config when it is loaded: mistakes in the config and in the files, and what is left for later. */

import { mkdir, truncate } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SERVICE_ID, TUNNEL_ID, createFolder } from "../setup/vpc-folder.ts";
import { BROKEN_FILES } from "./broken-files.ts";
import { harOf } from "./make-har.ts";

// A machine of CI says so.
beforeEach(() => void vi.stubEnv("CI", ""));
afterEach(() => void vi.unstubAllEnvs());

async function linesFor(target: unknown, file?: string | Uint8Array): Promise<string[]> {
  await using vpc = await createFolder({ "vpc.jsonc": JSON.stringify({ services: { API: target } }) });
  if (file !== undefined) await vpc.write("x.har", file);
  const binding = { bindingName: "API", bindingType: "vpc-service", id: SERVICE_ID } as const;
  return vpc.format(await vpc.load([vpc.worker("app", [binding])]));
}

test.each(BROKEN_FILES)("a file: $title", async ({ content, says }) => {
  const [line] = await linesFor({ har: "x.har" }, content);
  expect(line).toBe(says);
});

test("a folder", async () => {
  await using vpc = await createFolder({ "vpc.jsonc": '{"services":{"API":"har:x.har"}}' });
  await mkdir(path.join(vpc.folder, "x.har"));
  const binding = { bindingName: "API", bindingType: "vpc-service", id: SERVICE_ID } as const;
  const [line] = vpc.format(await vpc.load([vpc.worker("app", [binding])]));
  expect(line).toContain("can't be replayed: it is a folder [broken-recording]");
});

describe("no mistake", () => {
  test.each([
    ["a file with a byte order mark", "har:x.har", `\uFEFF${harOf([{ url: "/" }])}`],
    ["a file without entries", "har:x.har", harOf([])],
    ["a file that is still to be recorded", { har: "x.har", target: "localhost:1", update: true }, undefined],
    [
      "entries of other schemes and of calls that failed",
      "har:x.har",
      harOf([{ url: "data:text/plain,x" }, { url: "chrome-extension://abc/x.js" }, { url: "/", status: -1 }]),
    ],
  ])("%s", async (_, target, file) => {
    await expect(linesFor(target, file)).resolves.toEqual([]);
  });
});

test('"fallback" needs a target', async () => {
  await expect(linesFor({ har: "x.har", notFound: "fallback" }, harOf([]))).resolves.toEqual([
    'vpc.jsonc:1:46: error: "notFound" is "fallback", but there is no "target" to ask [no-fallback]',
    '    Add "target": "localhost:3000", or write "abort".',
  ]);
});

test("answers without their bodies are a warning", async () => {
  const file = harOf([
    { url: "/", answer: { size: 7 } },
    { url: "/a", method: "HEAD", answer: { size: 7 } },
  ]);
  await expect(linesFor("har:x.har", file)).resolves.toEqual([
    'vpc.jsonc:1:20: warning: 1 of 2 answers of the recording "FOLDER/x.har" have no body in it, so they are empty [recording-without-bodies]',
    "    Record it again with its content: browsers and Playwright can leave it out.",
  ]);
});

test("a large file does not delay the start; check reads it", async () => {
  await using vpc = await createFolder({ "vpc.jsonc": '{"services":{"API":"har:x.har"}}', "x.har": "{" });
  await truncate(path.join(vpc.folder, "x.har"), 9 * 1024 * 1024);
  const workers = [vpc.worker("app", [{ bindingName: "API", bindingType: "vpc-service", id: SERVICE_ID }])];
  expect(vpc.format(await vpc.load(workers))).toEqual([]);
  expect(vpc.format(await vpc.load(workers, { isThorough: true })).join("\n")).toContain("it is not JSON");
});

test("under CI, where nothing is recorded, a file that is still to be recorded is an error", async () => {
  vi.stubEnv("CI", "1");
  await expect(linesFor({ har: "x.har", target: "localhost:1", update: true })).resolves.toEqual([
    'vpc.jsonc:1:20: error: the recording "FOLDER/x.har" can\'t be replayed: it does not exist [broken-recording]',
    '    "update" records nothing under CI: record it on your machine, without CI in the environment, and commit it.',
  ]);
});

test("targets that record into one file in different ways are a warning", async () => {
  const target = { har: "x.har", target: "localhost:1", update: true };
  const routes = {
    "a.internal": target,
    "b.internal": { ...target, updateContent: "attach", updateMode: "minimal" },
    "c.internal": { ...target, updateContent: "embed", updateMode: "full" },
  };
  await using vpc = await createFolder({
    "vpc.jsonc": `{"networks":{"${TUNNEL_ID}":{"routes":${JSON.stringify(routes).replace('"b.', '\n"b.')}}}}`,
  });
  const binding = { bindingName: "NET", bindingType: "vpc-network", id: TUNNEL_ID } as const;
  const lines = vpc.format(await vpc.load([vpc.worker("app", [binding])]));
  expect(lines.filter((line) => line.includes("[recording-conflict]"))).toEqual([
    expect.stringMatching(
      /^vpc.jsonc:2:14: warning: "updateContent" is "attach" here, but "embed" at \S*vpc.jsonc:1:77, which records into the same file and decides/,
    ),
    expect.stringMatching(/^vpc.jsonc:2:14: warning: "updateMode" is "minimal" here, but "full" at/),
  ]);
});
