/**
 * Writes the JSON schema of the vpc config, for editors: `node plugin/parse/write-json-schema.ts vpc.schema.json`.
 * Run by the build; no part of the package imports it.
 */

import { readFile, writeFile } from "node:fs/promises";

import { toJsonSchema } from "@valibot/to-json-schema";

import { isTable } from "../read/document.ts";
import { configSchema } from "./config-schema.ts";

/** What no JSON value is. */
const NEVER = { not: {} };

const [, , output] = process.argv;
if (output === undefined) throw new Error("usage: node plugin/parse/write-json-schema.ts <output file>");
const schema = toJsonSchema(configSchema, {
  // Functions are for vpc.config.* only; regular expressions and formats are as good as they get.
  overrideSchema: ({ valibotSchema }) => (valibotSchema.type === "custom" ? NEVER : undefined),
  errorMode: "ignore",
});
const descriptions = await readDescriptions(new URL("../config.ts", import.meta.url));
const document = { $schema: "http://json-schema.org/draft-07/schema#", title: "miniflare-vpc" };
await writeFile(output, `${JSON.stringify(Object.assign(document, rewrite(schema, descriptions)), undefined, 2)}\n`);

/** The TSDoc of the public types' fields, by the field's name. */
async function readDescriptions(source: URL): Promise<Map<string, string>> {
  const fields = (await readFile(source, "utf8")).matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s+([\w$]+)\??:/g);
  return new Map(
    Array.from(fields, ([, comment = "", field = ""]) => [
      field,
      comment
        .replaceAll(/^\s*\*/gm, "")
        .replaceAll(/\s+/g, " ")
        .trim(),
    ]),
  );
}

/** Describes each property, and leaves out the alternatives that JSON can't write. */
function rewrite(node: unknown, descriptions: Map<string, string>): unknown {
  if (Array.isArray(node)) return node.map((item) => rewrite(item, descriptions));
  if (!isTable(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key === "anyOf" && Array.isArray(value)) {
        return [key, value.filter((option) => !isNever(option)).map((option) => rewrite(option, descriptions))];
      }
      if (key !== "properties" || !isTable(value)) return [key, rewrite(value, descriptions)];
      const properties = Object.entries(value).map(([field, schema]) => {
        const description = descriptions.get(field);
        const rewritten = rewrite(schema, descriptions);
        return [field, description === undefined ? rewritten : Object.assign({ description }, rewritten)];
      });
      return [key, Object.fromEntries(properties)];
    }),
  );
}

/** Whether it is `NEVER`, or an object all of whose fields are. */
function isNever(schema: unknown): boolean {
  if (!isTable(schema)) return false;
  if (isTable(schema["not"])) return true;
  const fields = Object.values(isTable(schema["properties"]) ? schema["properties"] : {});
  return fields.length > 0 && fields.every(isNever);
}
