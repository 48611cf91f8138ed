/** A recording of 100 MB is never in memory as a whole: not when it is read, and not when its largest body is sent. */

import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { finished } from "node:stream/promises";
import { promisify } from "node:util";

import { expect, test } from "vitest";
import { createFolder } from "../setup/vpc-folder.ts";
import { type Recorded, entryOf } from "./make-har.ts";

const MEGABYTE = 1024 * 1024;
const SIZE = 100 * MEGABYTE;
/** Megabytes. It takes 60 to 80 on an idle machine; to read the file as a text and parse it takes 250 to 420. */
const LIMIT = 160;

/** @param next the entry of a number */
async function writeLarge(file: string, next: (number: number) => Recorded): Promise<void> {
  const out = createWriteStream(file);
  const write = async (text: string): Promise<void> => {
    if (!out.write(text)) await once(out, "drain");
  };
  await write('{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":[\n');
  for (let number = 0; out.bytesWritten < SIZE; number++)
    await write(`${number === 0 ? "" : ",\n"}${JSON.stringify(entryOf(next(number)))}`);
  await write("]}}");
  await finished(out.end());
}

const HEADERS = Object.fromEntries(
  Array.from({ length: 12 }, (_, index) => [`x-header-${index}`, "value ".repeat(10)]),
);

test.each([
  {
    title: "many small answers",
    next: (number: number) => ({ url: `/items/${number}`, headers: HEADERS, answer: `{"id":${number}}` }),
    targets: ["/items/0", "/items/9999"],
    bytes: '{"id":0}{"id":9999}'.length,
  },
  {
    title: "one body in base64",
    next: () => ({ url: "/body", answer: { text: "QUJD".repeat(SIZE / 4), encoding: "base64" as const } }),
    targets: ["/body"],
    bytes: (SIZE / 4) * 3,
  },
  {
    title: "one body as text",
    next: () => ({ url: "/body", answer: '"\\é '.repeat(SIZE / 7) }),
    targets: ["/body"],
    bytes: Math.floor(SIZE / 7) * 5,
  },
])("$title", { timeout: 300_000 }, async ({ next, targets, bytes }) => {
  await using vpc = await createFolder();
  const file = path.join(vpc.folder, "large.har");
  await writeLarge(file, next);
  const child = path.join(import.meta.dirname, "large-child.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", child, file, ...targets]);
  const found: { bytes: number; grown: number } = JSON.parse(stdout);
  expect(found.bytes).toBe(bytes);
  expect(found.grown / MEGABYTE).toBeLessThan(LIMIT);
});
