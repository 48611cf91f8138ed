/**
 * Writes the JSON schema of the vpc config for editors: `node plugin/parse/write-json-schema.ts vpc.schema.json`.
 * The build runs it; no part of the package imports it.
 */

import { readFile, writeFile } from "node:fs/promises";

import { toJsonSchema } from "@valibot/to-json-schema";

import { isPlainObject } from "../read/document.ts";
import { configSchema } from "./config-schema.ts";

/** A schema that no JSON value matches. */
const NEVER = { not: {} };

const [, , output] = process.argv;
if (output === undefined) throw new Error("usage: node plugin/parse/write-json-schema.ts <output file>");
const schema = toJsonSchema(configSchema, {
  // Functions exist only in vpc.config.*, so JSON can't have them. Errors are ignored, because JSON schema can't
  // express every check.
  overrideSchema: ({ valibotSchema }) => (valibotSchema.type === "custom" ? NEVER : undefined),
  errorMode: "ignore",
});
const interfaces = await readInterfaces(new URL("../config.ts", import.meta.url));
const document = { $schema: "http://json-schema.org/draft-07/schema#", title: "miniflare-vpc" };
await writeFile(output, `${JSON.stringify(Object.assign(document, rewrite(schema)), undefined, 2)}\n`);

/** The TSDoc of each field that an interface declares itself; empty if the field has none. */
type Interface = ReadonlyMap<string, string>;

/** Reads the public types, the one with the most fields first. */
async function readInterfaces(source: URL): Promise<Interface[]> {
  const bodies = (await readFile(source, "utf8")).matchAll(/^export interface [^{]*\{([^]*?)^\}/gm);
  const found = Array.from(bodies, ([, body = ""]) => {
    const fields = body.matchAll(/(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\s+)?^ {2}([\w$]+)\??:/gm);
    return new Map(Array.from(fields, ([, comment = "", field = ""]) => [field, textOf(comment)]));
  });
  return found.toSorted((a, b) => b.size - a.size);
}

function textOf(comment: string): string {
  return comment
    .replaceAll(/^\s*\*/gm, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Finds the TSDoc of a field of an object, in the interface that describes the object most closely. */
function describe(field: string, properties: Record<string, unknown>): string | undefined {
  const isPartOf = (declared: Interface): boolean =>
    [...declared.keys()].every((key) => Object.hasOwn(properties, key));
  const within = interfaces.filter(isPartOf).map((declared) => declared.get(field));
  // A route has all limits but one, so that no interface within it declares them.
  const anywhere = interfaces.map((declared) => declared.get(field));
  return [...within, ...anywhere].find(Boolean);
}

/** Adds a description to each property, and removes the alternatives that JSON can't express. */
function rewrite(node: unknown): unknown {
  if (Array.isArray(node)) return node.map((item) => rewrite(item));
  if (!isPlainObject(node)) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key === "anyOf" && Array.isArray(value)) {
        return [key, value.filter((option) => !isNever(option)).map((option) => rewrite(option))];
      }
      if (key !== "properties" || !isPlainObject(value)) return [key, rewrite(value)];
      const properties = Object.entries(value).map(([field, schema]) => {
        const description = describe(field, value);
        const rewritten = rewrite(schema);
        return [field, description === undefined ? rewritten : Object.assign({ description }, rewritten)];
      });
      return [key, Object.fromEntries(properties)];
    }),
  );
}

/** Whether a schema is `NEVER`, or an object with only such fields. */
function isNever(schema: unknown): boolean {
  if (!isPlainObject(schema)) return false;
  if (isPlainObject(schema["not"])) return true;
  const fields = Object.values(isPlainObject(schema["properties"]) ? schema["properties"] : {});
  return fields.length > 0 && fields.every(isNever);
}
