/** The JSON schema that editors read: the same shape as the types, without what JSON can't write. */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { createFolder } from "./vpc-folder.ts";

/** What an editor shows when the mouse rests on a field. */
const field: object = { description: expect.stringMatching(/./) };

const timeout = { ...field, type: "integer", minimum: 1, maximum: 300_000 };
const count = { ...field, type: "integer", minimum: 1 };
const limits = {
  connectTimeout: timeout,
  dnsTimeout: timeout,
  readTimeout: timeout,
  writeTimeout: timeout,
  connectionLimit: count,
  rateLimit: {
    ...field,
    properties: { limit: count, period: { ...count, maximum: 3600 } },
    required: ["limit"],
    additionalProperties: false,
  },
  workerLimit: count,
};

test("has every field, each described, and no functions", async () => {
  await using vpc = await createFolder();
  const file = path.join(vpc.folder, "vpc.schema.json");
  const script = path.resolve(import.meta.dirname, "../plugin/parse/write-json-schema.ts");
  await promisify(execFile)(process.execPath, [script, file]);
  const schema: unknown = JSON.parse(await readFile(file, "utf8"));
  expect(schema).toMatchObject({
    $schema: "http://json-schema.org/draft-07/schema#",
    additionalProperties: false,
    properties: {
      $schema: field,
      services: {
        ...field,
        additionalProperties: {
          anyOf: [
            { anyOf: [{ type: "string" }, { required: ["deny"] }] },
            { properties: { ca: field, target: field, ...limits }, required: ["target"] },
            { properties: { ca: field, target: field, ...limits }, required: ["name", "type", "host"] },
          ],
        },
      },
      networks: {
        additionalProperties: {
          anyOf: [
            { const: "remote" },
            {
              properties: {
                routes: { additionalProperties: { anyOf: [{ type: "string" }, { required: ["deny"] }] } },
                compose: { ...field, anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] },
                resolver_ips: { ...field, type: "array", items: { type: "string" } },
                ...limits,
              },
            },
          ],
        },
      },
      ca: field,
      ...limits,
      traffic: { type: "boolean" },
    },
  });
  expect(JSON.stringify(schema)).not.toMatch(/"not":|"fetch"|"connect"/);
});
