/** The JSON schema for editors: the same shape as the types, without values that JSON can't express. */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { PROXY_ERROR_CODES } from "../../service-worker/routing/error-codes.ts";
import { createFolder } from "../setup/vpc-folder.ts";

/** A field with the description that an editor shows. */
const field: object = { description: expect.stringMatching(/./) };

const timeout = { ...field, type: "integer", minimum: 1, maximum: 300_000 };
const count = { ...field, type: "integer", minimum: 1 };
const callLimits = {
  connectTimeout: timeout,
  dnsTimeout: timeout,
  readTimeout: timeout,
  writeTimeout: timeout,
  connectionLimit: count,
  workerLimit: count,
};
const limits = {
  ...callLimits,
  rateLimit: {
    ...field,
    properties: { limit: count, period: { ...count, maximum: 3600 } },
    required: ["limit"],
    additionalProperties: false,
  },
};

const files = [{ type: "string" }, { type: "array", items: { type: "string" } }];

/** A part of the schema: these attributes of a type of fault. */
function withFault(type: object, properties: object, required: string[]): object {
  const attributes = { ...field, properties, required, additionalProperties: false };
  return { properties: { ...FAULT, type: { ...field, ...type }, attributes }, additionalProperties: false };
}

const FAULT = {
  name: field,
  stream: { ...field, enum: ["upstream", "downstream"] },
  toxicity: { ...field, minimum: 0, maximum: 1 },
};
const amount = { ...field, type: "integer", minimum: 0 };
const faults = {
  ...field,
  type: "array",
  items: {
    anyOf: [
      withFault({ const: "latency" }, { latency: amount, jitter: amount }, []),
      withFault({ const: "bandwidth" }, { rate: amount }, ["rate"]),
      withFault({ const: "slow_close" }, { delay: { description: "Milliseconds. Default: 0." } }, []),
      withFault({ enum: ["timeout", "reset_peer"] }, { timeout: amount }, []),
      withFault(
        { const: "slicer" },
        {
          average_size: count,
          size_variation: amount,
          delay: { description: "Microseconds between two pieces. Default: 0." },
        },
        ["average_size"],
      ),
      withFault({ enum: ["limit_data", "truncate"] }, { bytes: amount }, ["bytes"]),
      withFault({ const: "down" }, {}, []),
      withFault({ const: "http_status" }, { status: { ...field, minimum: 200, maximum: 599 } }, ["status"]),
      withFault({ const: "failure" }, { code: { ...field, enum: [...PROXY_ERROR_CODES] } }, ["code"]),
    ],
  },
};

const answer = {
  status: { ...field, minimum: 200, maximum: 599 },
  json: field,
  text: field,
  file: field,
  delay: field,
};
const targets = {
  anyOf: [
    { type: "string" },
    { required: ["deny"] },
    {
      properties: {
        respond: {
          ...field,
          anyOf: [
            { properties: answer },
            { items: { properties: { ...answer, when: { ...field, anyOf: [{}, { properties: { path: field } }] } } } },
          ],
        },
      },
      required: ["respond"],
      additionalProperties: false,
    },
    {
      properties: { har: field, target: field, match: { ...field, properties: { ignore: field } } },
      required: ["har"],
    },
  ],
};

/** A part of the schema: these fields of a route as an object. */
function withRoute(properties: object): object {
  const network = { properties: { routes: { additionalProperties: { anyOf: [{}, { properties }] } } } };
  return { properties: { networks: { additionalProperties: { anyOf: [{}, network] } } } };
}

test("has every field with a description, and no functions", async () => {
  await using vpc = await createFolder();
  const file = path.join(vpc.folder, "vpc.schema.json");
  const script = path.resolve(import.meta.dirname, "../../plugin/parse/write-json-schema.ts");
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
            targets,
            { properties: { ca: field, target: field, faults, ...limits }, required: ["target"] },
            { properties: { ca: field, target: field, faults, ...limits }, required: ["name", "type", "host"] },
          ],
        },
      },
      networks: {
        additionalProperties: {
          anyOf: [
            { const: "remote" },
            {
              properties: {
                routes: {
                  ...field,
                  additionalProperties: {
                    anyOf: [
                      targets,
                      {
                        properties: { ca: field, target: field, tls_settings: field, faults, ...callLimits },
                        required: ["target"],
                        additionalProperties: false,
                      },
                    ],
                  },
                },
                compose: {
                  ...field,
                  anyOf: [
                    ...files,
                    {
                      properties: {
                        files: { ...field, anyOf: files },
                        from: { ...field, enum: ["host", "network", "auto"] },
                      },
                      required: ["files"],
                      additionalProperties: false,
                    },
                  ],
                },
                resolver_ips: { ...field, type: "array", items: { type: "string" } },
                ...limits,
              },
            },
          ],
        },
      },
      ca: { description: expect.stringContaining("every binding") as unknown },
      certificates: {
        ...field,
        additionalProperties: {
          anyOf: [
            { properties: { cert: field, key: field }, required: ["cert", "key"], additionalProperties: false },
            {
              properties: { ca: { description: expect.stringContaining("its roots") as unknown } },
              required: ["ca"],
              additionalProperties: false,
            },
          ],
        },
      },
      trust: { ...field, enum: ["local", "production"] },
      ...limits,
      traffic: { type: "boolean" },
      seed: { ...field, type: "integer" },
    },
  });
  expect(schema).toMatchObject(
    withRoute({ workerLimit: count, ca: { description: expect.stringContaining("this route") } }),
  );
  expect(schema).not.toMatchObject(withRoute({ rateLimit: {} }));
  expect(JSON.stringify(schema)).not.toMatch(/"not":|"fetch"|"connect"/);
});
